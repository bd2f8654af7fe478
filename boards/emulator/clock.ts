// SPDX-License-Identifier: BSD-3-Clause

/** Something that happens once, a while after schedule(). */
export class Alarm {
  /** Device time at which it happens, nanoseconds; Infinity: not scheduled. */
  at = Number.POSITIVE_INFINITY;
  readonly callback: () => void;
  readonly #clock: DeviceClock;

  constructor(clock: DeviceClock, callback: () => void) {
    this.#clock = clock;
    this.callback = callback;
  }

  schedule(deltaNanos: number): void {
    this.at = this.#clock.nanos + deltaNanos;
    this.#clock.rearm(this);
  }

  cancel(): void {
    this.at = Number.POSITIVE_INFINITY;
  }
}

/** The device's time, moved on by the run loop. An alarm fires when the time has reached it, the earliest first. */
export class DeviceClock {
  /** Nanoseconds since power came. */
  nanos = 0;
  /** No alarm is due before this. */
  #next = Number.POSITIVE_INFINITY;
  readonly #alarms: Alarm[] = [];

  createAlarm(callback: () => void): Alarm {
    const alarm = new Alarm(this, callback);
    this.#alarms.push(alarm);
    return alarm;
  }

  /** An alarm's time was set. */
  rearm(alarm: Alarm): void {
    if (alarm.at < this.#next) this.#next = alarm.at;
  }

  tick(deltaNanos: number): void {
    const target = this.nanos + deltaNanos;
    while (this.#next <= target) this.#fireNext();
    this.nanos = target;
  }

  /** Until the next alarm; Infinity when none is set. */
  get nanosToNextAlarm(): number {
    return this.#earliest().at - this.nanos;
  }

  #earliest(): { at: number; alarm?: Alarm } {
    let found: { at: number; alarm?: Alarm } = { at: Number.POSITIVE_INFINITY };
    for (const alarm of this.#alarms) if (alarm.at < found.at) found = { at: alarm.at, alarm };
    return found;
  }

  #fireNext(): void {
    const { at, alarm } = this.#earliest();
    if (alarm && at <= this.#next) {
      this.nanos = Math.max(this.nanos, at);
      alarm.at = Number.POSITIVE_INFINITY;
      alarm.callback();
    }
    // Alarms may have been cancelled or set meanwhile.
    this.#next = this.#earliest().at;
  }
}
