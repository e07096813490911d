extension VolumeFormat {
    static let mrc = VolumeFormat(
        name: "MRC", containerEndings: [],
        recognizes: { candidate in
            guard let file = candidate.file, candidate.head.starts(with: GzipStream.signature) else {
                return MRCHeader.recognizes(candidate.head)
            }
            return MRCHeader.recognizes(try ByteSource(file).read(MRCHeader.size, at: 0))
        },
        open: { path, _, selection in try MRCReader(path: path, selection) })
}
