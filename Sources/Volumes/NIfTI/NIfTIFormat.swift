extension VolumeFormat {
    static let nifti = VolumeFormat(
        name: "NIfTI", containerEndings: [],
        recognizes: { candidate in
            guard let file = candidate.file else { return false }
            let header = NIfTIFiles(of: candidate.path).header
            // The image of a pair says nothing of itself.
            if header != candidate.path { return (try? begins(ByteSource(header))) ?? false }
            // Damage so near the beginning hides what the file is: it is told, whatever it hides.
            if candidate.head.starts(with: GzipStream.signature) { return try begins(ByteSource(file)) }
            return NIfTIHeader.recognizes(candidate.head)
        },
        mayHaveCompanions: { candidate in
            let files = NIfTIFiles(of: candidate.path)
            return files.header != files.image
        },
        open: { path, _, selection in try NIfTIReader(path: path, selection) })

    private static func begins(_ source: ByteSource) throws -> Bool {
        NIfTIHeader.recognizes(try source.read(NIfTIHeader.largestSize, at: 0))
    }
}
