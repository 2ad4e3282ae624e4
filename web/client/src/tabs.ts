import type { Gap, Metadata, State } from "./events.js";
import type { Settings } from "./options.js";
import type { Session } from "./session.js";
import { after } from "./time.js";

/** What tabs say to each other. */
export type Word =
  /** A tab has come, or is used again. `used`: until when it counts as used, epoch milliseconds. */
  | { type: "hello"; session: Session; used: number }
  | Beat
  | { type: "deliver"; metadata: Metadata }
  | { type: "done"; to: string; messageId: string; settled: boolean }
  | { type: "gap"; gap: Gap }
  /** From now on this tab is not waited for, until it says hello again. */
  | { type: "bye" }
  | End;

/**
 * A session ends for all tabs. `session`: its name; absent where the tab has not had one yet. `reason`: what
 * `getSession` said of it; absent where the application ends it.
 */
export interface End {
  type: "end";
  session?: string;
  reason?: string;
}

/** What the leader tells of itself, at every poll and when it is asked. */
interface Beat {
  type: "beat";
  state: State;
  session: Session;
  /** The service's time, which only the leader hears from the service itself; epoch seconds. */
  now: number;
  /** When the leader last received from the queue, epoch seconds. */
  receivedAt: number;
}

interface Delivery {
  waitingFor: Set<string>;
  settled: boolean;
  end(): void;
}

/** The other tabs of the session, and the messages that they are to settle. */
export type Tabs = ReturnType<typeof createTabs>;

/** @param say - tells the other tabs */
export function createTabs(settings: Settings, say: (word: Word) => void) {
  /** Until when each counts as used. */
  const others = new Map<string, number>();
  /** By messageId. */
  const deliveries = new Map<string, Delivery>();

  /** A tab has settled a message, or not. */
  function done(messageId: string, tab: string, settled: boolean): void {
    const delivery = deliveries.get(messageId);
    if (!delivery?.waitingFor.delete(tab)) return;
    delivery.settled &&= settled;
    if (delivery.waitingFor.size === 0) delivery.end();
  }

  /** A tab is no longer waited for. */
  function gone(tab: string): void {
    others.delete(tab);
    for (const messageId of deliveries.keys()) done(messageId, tab, true);
  }

  return {
    others,
    done,
    gone,

    /**
     * Brings a message to the other tabs; one that is silent for `tabTimeout` counts as gone.
     * @returns whether all that are still there have settled it
     */
    async share(metadata: Metadata): Promise<boolean> {
      const { messageId } = metadata;
      say({ type: "deliver", metadata });
      if (others.size === 0) return true;
      return new Promise((resolve) => {
        const end = () => {
          cancel();
          deliveries.delete(messageId);
          resolve(delivery.settled);
        };
        const delivery = { waitingFor: new Set(others.keys()), settled: true, end };
        const cancel = after(settings, settings.tabTimeout, () => {
          for (const tab of delivery.waitingFor) gone(tab);
        });
        deliveries.get(messageId)?.end();
        deliveries.set(messageId, delivery);
      });
    },

    /** What the others have not settled yet is left to the next leader. */
    close(): void {
      for (const delivery of deliveries.values()) {
        delivery.settled = false;
        delivery.end();
      }
    },
  };
}
