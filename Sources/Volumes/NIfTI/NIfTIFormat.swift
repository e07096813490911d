extension VolumeFormat {
    static let nifti = VolumeFormat(
        name: "NIfTI", containerEndings: [],
        recognizes: { candidate in
            guard let file = candidate.file else { return false }
            let header = NIfTIFiles(of: candidate.path).header
            // The image of a pair says nothing of itself.
            if header != candidate.path { return begins(try? ByteSource(header)) }
            if candidate.head.starts(with: GzipStream.signature) { return begins(try? ByteSource(file)) }
            return NIfTIHeader.recognizes(candidate.head)
        },
        open: { path, _, selection in try NIfTIReader(path: path, selection) })

    private static func begins(_ source: ByteSource?) -> Bool {
        guard let bytes = try? source?.read(NIfTIHeader.largestSize, at: 0) else { return false }
        return NIfTIHeader.recognizes(bytes)
    }
}
