"""Signs the calls that schemathesis makes."""

import os

import requests
import schemathesis
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials


class Sign(requests.auth.AuthBase):
    def __call__(self, request):
        keys = Credentials(os.environ["SBE_ACCESS_KEY"], os.environ["SBE_SECRET_KEY"])
        signed = AWSRequest(request.method, request.url, data=request.body)
        SigV4Auth(keys, "execute-api", os.environ["SBE_REGION"]).add_auth(signed)
        request.headers.update(dict(signed.headers))
        return request


schemathesis.auth.set_from_requests(Sign())
