// SPDX-License-Identifier: BSD-3-Clause
// Bosch BME280, temperature and humidity, on I2C. Sections and registers: its data sheet, BST-BME280-DS002. Pressure is
// not modelled.
import type { DeviceClock } from "./clock.ts";
import { Fault } from "./fault.ts";
import type { I2cDevice } from "./i2cBus.ts";

/** The factory's coefficients dig_T1 … dig_H6 (4.2.2). */
export interface Calibration {
  readonly t1: number;
  readonly t2: number;
  readonly t3: number;
  readonly h1: number;
  readonly h2: number;
  readonly h3: number;
  readonly h4: number;
  readonly h5: number;
  readonly h6: number;
}

/** Of the size parts have; the temperature's are those of the example in Bosch's BMP280 data sheet (3.12). */
export const TYPICAL: Calibration = {
  ...{ t1: 27_504, t2: 26_435, t3: -1_000 },
  ...{ h1: 75, h2: 360, h3: 0, h4: 320, h5: 50, h6: 30 },
};

/** Degrees in 1/5120 of what the converter says (8.1, floating point). */
export function fineTemperature({ t1, t2, t3 }: Calibration, raw: number): number {
  const straight = (raw / 16_384 - t1 / 1_024) * t2;
  return straight + (raw / 131_072 - t1 / 8_192) ** 2 * t3;
}

/** Percent of what the converter says at a temperature (8.1, floating point), 0 to 100. */
export function humidity(calibration: Calibration, raw: number, fine: number): number {
  const { h1, h2, h3, h4, h5, h6 } = calibration;
  const warmth = fine - 76_800;
  const bend = 1 + (h6 / 67_108_864) * warmth * (1 + (h3 / 67_108_864) * warmth);
  const straight = (raw - (h4 * 64 + (h5 / 16_384) * warmth)) * ((h2 / 65_536) * bend);
  return Math.min(100, Math.max(0, straight * (1 - (h1 * straight) / 524_288)));
}

/** Registers 0x88 to 0xa1 and 0xe1 to 0xe7 with the coefficients in them (table 16); the pressure's are zero. */
export function calibrationRegisters(calibration: Calibration): Map<number, number> {
  const { t1, t2, t3, h1, h2, h3, h4, h5, h6 } = calibration;
  const found = new Map<number, number>();
  for (let at = 0x88; at <= 0xa1; at++) found.set(at, 0);
  const put = (at: number, value: number) => found.set(at, value & 0xff);
  const put16 = (at: number, value: number) => {
    put(at, value);
    put(at + 1, value >> 8);
  };
  put16(0x88, t1);
  put16(0x8a, t2);
  put16(0x8c, t3);
  put(0xa1, h1);
  put16(0xe1, h2);
  put(0xe3, h3);
  put(0xe4, h4 >> 4);
  put(0xe5, (h4 & 15) | ((h5 & 15) << 4));
  put(0xe6, h5 >> 4);
  put(0xe7, h6);
  return found;
}

/** What the data registers hold of a measurement that was not made. */
export const SKIPPED = { temperature: 0x8_0000, humidity: 0x8000 } as const;

/** The least value of `bits` bits at which a rising function reaches the wanted one. */
function inverse(bits: number, wanted: number, rising: (raw: number) => number): number {
  let raw = 0;
  for (let bit = bits - 1; bit >= 0; bit--) {
    if (rising(raw + 2 ** bit) <= wanted) raw += 2 ** bit;
  }
  return raw;
}

export interface Environment {
  /** Degrees Celsius, -40 to 85. */
  readonly celsius: number;
  /** Relative humidity, 0 to 100. */
  readonly percent: number;
}

const REGISTER = {
  id: 0xd0,
  reset: 0xe0,
  ctrlHum: 0xf2,
  status: 0xf3,
  ctrlMeas: 0xf4,
  config: 0xf5,
  data: 0xf7,
} as const;
const ID = 0x60;
const RESET_WORD = 0xb6;
const MEASURING = 0x08;
const SLEEP = 0;
const FORCED_MODES: readonly number[] = [1, 2];
const NORMAL = 3;
/** Time from power to the first answer (1.1), of a measurement without its samples, and of one sample (9.1), typical. */
const STARTUP_NANOS = 2e6;
const MEASURE_NANOS = 1e6;
const SAMPLE_NANOS = 2e6;
/** Samples by the bits of osrs (5.4.3). */
const samples = (bits: number) => (bits === 0 ? 0 : 2 ** (Math.min(bits, 5) - 1));

/** A sensor in an environment that may change while it runs. */
export class Bme280 implements I2cDevice {
  environment: Environment;
  readonly #calibration: Calibration;
  readonly #registers = new Uint8Array(256);
  #clock: DeviceClock | null = null;
  #poweredAt = 0;
  /** The pending value of ctrl_hum, which counts from the next write of ctrl_meas (5.4.3). */
  #ctrlHum = 0;
  #measuringSince = 0;
  #pointer = 0;
  /** The register a written pair is for; null: the next byte names one. */
  #register: number | null = null;

  constructor(environment: Environment, calibration: Calibration = TYPICAL) {
    this.environment = environment;
    this.#calibration = calibration;
    this.#reset();
  }

  powerOn(clock: DeviceClock): void {
    this.#clock = clock;
    this.#poweredAt = clock.nanos;
    this.#reset();
  }

  start(isRead: boolean): boolean {
    const isAwake = this.#now() - this.#poweredAt >= STARTUP_NANOS;
    this.#register = null;
    // A burst is of one measurement (4.1): the registers are filled before its first byte.
    if (isRead) this.#measure();
    return isAwake;
  }

  /** Pairs of a register and its value (6.2.1); a register alone is where reading begins. */
  write(byte: number): boolean {
    if (this.#register === null) {
      this.#register = byte;
      this.#pointer = byte;
    } else {
      this.#set(this.#register, byte);
      this.#register = null;
    }
    return true;
  }

  read(): number {
    const value = this.#registers[this.#pointer] ?? 0xff;
    this.#pointer = (this.#pointer + 1) & 0xff;
    return value;
  }

  stop(): void {
    this.#register = null;
  }

  #now(): number {
    return this.#clock?.nanos ?? 0;
  }

  #byte(at: number): number {
    return this.#registers[at] ?? 0;
  }

  #reset(): void {
    this.#registers.fill(0);
    for (const [at, value] of calibrationRegisters(this.#calibration)) this.#registers[at] = value;
    this.#registers[REGISTER.id] = ID;
    this.#ctrlHum = 0;
    this.#fill(SKIPPED.temperature, SKIPPED.humidity);
  }

  #set(register: number, value: number): void {
    if (register === REGISTER.reset && value === RESET_WORD) this.#reset();
    else if (register === REGISTER.ctrlHum) this.#ctrlHum = value & 7;
    else if (register === REGISTER.ctrlMeas) this.#setMode(value);
    // In normal mode a write of config may be ignored (5.4.6): here it is.
    else if (register === REGISTER.config && this.#mode !== NORMAL) {
      this.#registers[register] = value;
    }
  }

  get #mode(): number {
    return this.#byte(REGISTER.ctrlMeas) & 3;
  }

  #setMode(value: number): void {
    if (value & 0x1c) throw new Fault("BME280: the pressure is not modelled");
    this.#registers[REGISTER.ctrlMeas] = value;
    this.#registers[REGISTER.ctrlHum] = this.#ctrlHum;
    this.#measuringSince = this.#now();
  }

  /** Nanoseconds of one measurement (9.1). */
  get #measureNanos(): number {
    const count = samples(this.#byte(REGISTER.ctrlMeas) >> 5) + samples(this.#ctrlHumNow);
    return MEASURE_NANOS + count * SAMPLE_NANOS + (this.#ctrlHumNow ? 5e5 : 0);
  }

  get #ctrlHumNow(): number {
    return this.#byte(REGISTER.ctrlHum);
  }

  #measure(): void {
    const mode = this.#mode;
    if (mode === SLEEP) return;
    const passed = this.#now() - this.#measuringSince;
    const isDone = passed >= this.#measureNanos;
    this.#registers[REGISTER.status] = isDone ? 0 : MEASURING;
    if (!isDone) return;
    this.#sample();
    if (FORCED_MODES.includes(mode)) this.#registers[REGISTER.ctrlMeas] = this.#byte(0xf4) & ~3;
  }

  #sample(): void {
    const { celsius, percent } = this.environment;
    const calibration = this.#calibration;
    const oversampling = this.#byte(REGISTER.ctrlMeas) >> 5;
    const bits = 16 + Math.min(oversampling, 5) - 1;
    const whole = inverse(20, celsius * 5120, (raw) => fineTemperature(calibration, raw));
    const raw = oversampling === 0 ? SKIPPED.temperature : whole & (-1 << (20 - bits));
    const fine = fineTemperature(calibration, raw);
    const damp = inverse(16, percent, (value) => humidity(calibration, value, fine));
    this.#fill(raw, this.#ctrlHumNow === 0 ? SKIPPED.humidity : damp);
  }

  #fill(temperature: number, damp: number): void {
    const pressure = SKIPPED.temperature;
    const bytes = [pressure, temperature].flatMap((raw) => [
      ...[raw >> 12, (raw >> 4) & 0xff, (raw & 15) << 4],
    ]);
    this.#registers.set([...bytes, damp >> 8, damp & 0xff], REGISTER.data);
  }
}
