// The camera: shows what it sees and reads the codes in it.

/** @typedef {{detect(source: HTMLVideoElement): Promise<{rawValue: string}[]>}} Detector */

const PAUSE = 80;

/** @returns {Promise<boolean>} whether this browser reads QR codes by itself */
export async function readsByItself() {
  try {
    return (await globalThis.BarcodeDetector?.getSupportedFormats())?.includes("qr_code") ?? false;
  } catch {
    return false;
  }
}

const CHOSEN = "einlass-kamera";

/** @returns {string} the camera that was chosen last on this device; empty: none, or it is gone */
export function rememberedCamera() {
  try {
    return localStorage.getItem(CHOSEN) ?? "";
  } catch {
    return "";
  }
}

/** @param {string} deviceId */
export function rememberCamera(deviceId) {
  try {
    localStorage.setItem(CHOSEN, deviceId);
  } catch {
    // A browser that stores nothing asks for the usual camera again.
  }
}

export class Camera {
  #video;
  #read;
  #load;
  /** @type {Promise<Detector> | null} */
  #detector = null;
  /** @type {MediaStream | null} */
  #stream = null;
  #turn = 0;

  /**
   * @param {HTMLVideoElement} video
   * @param {(text: string, seenAt: number) => void} read
   * @param {() => Promise<Detector>} load
   */
  constructor(video, read, load) {
    this.#video = video;
    this.#read = read;
    this.#load = load;
  }

  get #track() {
    return this.#stream?.getVideoTracks()[0];
  }

  /** Whether the camera has a light. */
  get hasTorch() {
    return Boolean(this.#track?.getCapabilities?.().torch);
  }

  get deviceId() {
    return this.#track?.getSettings().deviceId ?? "";
  }

  /**
   * Starts the camera.
   *
   * @param {string} [deviceId] which one; without it, and if it is gone, the one at the back
   * @throws {DOMException} refused, missing or busy
   */
  async start(deviceId) {
    this.stop();
    if (!navigator.mediaDevices?.getUserMedia) throw new DOMException("", "NotFoundError");
    this.#turn += 1;
    const turn = this.#turn;
    const stream = await open(deviceId);
    if (turn !== this.#turn) {
      stream.getTracks().forEach((track) => track.stop());
      return;
    }
    this.#stream = stream;
    this.#video.srcObject = stream;
    await this.#video.play();
    this.#detector ??= this.#load().catch((error) => {
      this.#detector = null;
      throw error;
    });
    this.#watch(await this.#detector, turn);
  }

  stop() {
    this.#turn += 1;
    this.#stream?.getTracks().forEach((track) => track.stop());
    this.#stream = null;
    this.#video.srcObject = null;
  }

  /** @param {boolean} on */
  async light(on) {
    await this.#track?.applyConstraints({ advanced: [/** @type {any} */ ({ torch: on })] });
  }

  /** @returns {Promise<MediaDeviceInfo[]>} */
  async choices() {
    const devices = await navigator.mediaDevices.enumerateDevices();
    return devices.filter((device) => device.kind === "videoinput" && device.deviceId);
  }

  /**
   * @param {Detector} detector
   * @param {number} turn ends when another one begins
   */
  async #watch(detector, turn) {
    while (turn === this.#turn) {
      const seenAt = performance.now();
      // A frame that cannot be read (the camera is just being switched) is followed by the next one.
      const codes = this.#video.readyState >= 2 ? await detector.detect(this.#video).catch(() => []) : [];
      if (turn !== this.#turn) return;
      for (const code of codes) this.#read(code.rawValue, seenAt);
      await new Promise((resolve) => { setTimeout(resolve, PAUSE); });
    }
  }
}

/**
 * @param {string} [deviceId]
 * @returns {Promise<MediaStream>}
 */
async function open(deviceId) {
  const which = deviceId ? { deviceId: { exact: deviceId } } : { facingMode: "environment" };
  try {
    return await navigator.mediaDevices.getUserMedia({
      audio: false,
      video: { ...which, width: { ideal: 1280 }, height: { ideal: 720 } },
    });
  } catch (error) {
    if (deviceId && ["OverconstrainedError", "NotFoundError"].includes(error?.name)) return open();
    throw error;
  }
}
