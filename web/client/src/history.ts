import type { Message, Metadata } from "./events.js";
import type { Settings } from "./options.js";
import type { Pace } from "./pace.js";
import { limited, type ServiceClock } from "./time.js";

interface Hooks {
  /** @returns whether the message is settled; if not, it is brought again */
  bring(message: Message, metadata: Metadata): Promise<boolean>;
  failed(error: unknown): void;
}

/** Fills in what was missed since a moment, from the application's history. */
export async function fillIn(
  settings: Settings,
  clock: ServiceClock,
  pace: Pace,
  signal: AbortSignal,
  since: number,
  hooks: Hooks,
): Promise<void> {
  const { getHistory } = settings;
  if (!getHistory) return;
  const get = () =>
    limited(settings, settings.answerTimeout, "getHistory", (async () => getHistory({ since }))());
  const missed = await pace.retry(signal, get, hooks.failed);
  const bring = async (message: Message) => {
    const { messageId } = message;
    const text = JSON.stringify(message);
    const receivedAt = clock.now();
    const metadata: Metadata = { messageId, text, source: "history", receivedAt, deliveries: 0 };
    for (let delay = 1; !(await hooks.bring(message, metadata)) && !signal.aborted; delay *= 2) {
      await pace.sleep(delay, signal);
    }
  };
  const created = (message: Message) => Number(message.created ?? 0);
  await Promise.all([...(missed ?? [])].sort((a, b) => created(a) - created(b)).map(bring));
}
