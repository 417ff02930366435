/**
 * The Parquet decoder, which is an optional peer: loaded when a Parquet file is opened, not before.
 *
 * @module
 */
import zlib from "node:zlib"
import type { Compressors } from "hyparquet"
import { misconfigured } from "../fileError.ts"

/** Rejects with a DriverError that names what to install. */
export const loadParquet = async () => {
  try {
    const [parquet, { compressors }, column, convert, datapage, encoding, plain] = await Promise.all([
      import("hyparquet"),
      import("hyparquet-compressors"),
      import("hyparquet/src/column.js"),
      import("hyparquet/src/convert.js"),
      import("hyparquet/src/datapage.js"),
      import("hyparquet/src/encoding.js"),
      import("hyparquet/src/plain.js")
    ])
    // The steps of its page decoder, for columns that are kept as codes into their dictionary.
    const pages = {
      parquetHeader: column.parquetHeader,
      convert: convert.convert,
      defaultParsers: convert.DEFAULT_PARSERS,
      decompressPage: datapage.decompressPage,
      readRleBitPackedHybrid: encoding.readRleBitPackedHybrid,
      readPlain: plain.readPlain
    }
    return { parquet, pages, compressors: { ...compressors, ...native } satisfies Compressors }
  } catch (cause) {
    throw misconfigured(
      "open",
      "driver_library_missing",
      `Parquet files need libraries that are not installed: ${cause instanceof Error ? cause.message : cause}`,
      "npm install hyparquet hyparquet-compressors"
    )
  }
}

export type ParquetLibrary = Awaited<ReturnType<typeof loadParquet>>

/** Node's own decompressors are several times faster than those in JavaScript. */
const native: Compressors = {
  GZIP: (bytes) => zlib.gunzipSync(bytes),
  BROTLI: (bytes) => zlib.brotliDecompressSync(bytes),
  ZSTD: (bytes) => zlib.zstdDecompressSync(bytes)
}
