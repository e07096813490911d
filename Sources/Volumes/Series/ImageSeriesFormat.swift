extension VolumeFormat {
    /// A folder of slices, or a pattern that matches them. Tried after the formats that keep a volume in a folder.
    static let imageSeries = VolumeFormat(
        name: "image series", containerEndings: [],
        recognizes: { candidate in
            if candidate.isPattern { return true }
            return try candidate.isFolder && SliceFiles.isSeries(folder: candidate.path)
        },
        open: { path, _, selection in try ImageSeriesReader(path: path, selection) })
}
