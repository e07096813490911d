extension VolumeFormat {
    static let png = VolumeFormat(
        name: "PNG", containerEndings: [],
        recognizes: { $0.head.starts(with: PNGHeader.signature) },
        open: { path, _, selection in try PNGReader(path: path, selection) })
}
