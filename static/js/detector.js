// Reads QR codes where the browser cannot do it by itself.

import { BarcodeDetector, prepareZXingModule } from "barcode-detector/ponyfill";

/**
 * @param {string} wasm address of the decoder
 * @returns {Promise<{detect(source: HTMLVideoElement): Promise<{rawValue: string}[]>}>}
 */
export async function makeDetector(wasm) {
  await prepareZXingModule({ overrides: { locateFile: () => wasm }, fireImmediately: true });
  return new BarcodeDetector({ formats: ["qr_code"] });
}
