extension VolumeFormat {
    static let mrc = VolumeFormat(
        name: "MRC", containerEndings: [],
        recognizes: { MRCHeader.recognizes($0.head) },
        open: { path, _, selection in try MRCReader(path: path, selection) })
}
