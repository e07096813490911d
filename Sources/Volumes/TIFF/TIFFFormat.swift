extension VolumeFormat {
    static let tiff = VolumeFormat(
        name: "TIFF", containerEndings: [],
        recognizes: { candidate in
            // TIFF 6.0 (42) or BigTIFF (43) in either byte order.
            let starts: [[UInt8]] = [
                [0x49, 0x49, 42, 0], [0x4D, 0x4D, 0, 42], [0x49, 0x49, 43, 0], [0x4D, 0x4D, 0, 43],
            ]
            return starts.contains(Array(candidate.head.prefix(4)))
        },
        open: { path, _, selection in try TIFFReader(path: path, selection) })
}
