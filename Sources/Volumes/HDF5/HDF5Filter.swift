import CHDF5

/// A filter of libhdf5's pipeline, as a dataset names it.
struct HDF5Filter: Sendable {
    let id: H5Z_filter_t
    /// What the file calls it.
    let registeredName: String
    /// The filter's own settings.
    let values: [UInt32]

    /// Whether libhdf5 has it, itself or among the plugins of `HDF5_PLUGIN_PATH`.
    var isInstalled: Bool { H5Zfilter_avail(id) > 0 }

    /// The name under which people know it.
    var name: String { Self.names[id] ?? (registeredName.isEmpty ? "filter \(id)" : registeredName) }

    /// libhdf5's own, and those of the HDF Group's list of registered filters that volumes are found with.
    private static let names: [H5Z_filter_t: String] = [
        1: "gzip", 2: "shuffle", 3: "fletcher32", 4: "szip", 5: "nbit", 6: "scaleoffset", 257: "szip",
        305: "lzo", 307: "bzip2", 32000: "lzf", 32001: "blosc", 32002: "mafisc", 32003: "snappy", 32004: "lz4",
        32005: "apax", 32006: "cbf", 32007: "jpeg-xr", 32008: "bitshuffle", 32009: "spdp", 32010: "lpc-rice",
        32011: "ccsds-123", 32012: "jpeg-ls", 32013: "zfp", 32014: "fpzip", 32015: "zstd", 32016: "b3d",
        32017: "sz", 32018: "fcidecomp", 32019: "jpeg", 32020: "vbz", 32021: "faust", 32022: "bitgroom",
        32023: "granular bitround", 32024: "sz3", 32025: "delta-rice", 32026: "blosc2", 32027: "flac",
        32028: "h5z-sperr", 32030: "htj2k", 32031: "sz-plus",
    ]
}
