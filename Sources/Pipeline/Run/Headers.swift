import Volumes

/// What files say of their volumes without their voxels; each is looked into once.
final class Headers {
    private let cache: StageCache
    private let executable: String?
    /// By the place of the volume.
    private var known: [String: LabelPlacement.Extent?] = [:]

    /// - Parameters:
    ///   - cache: tells of files that are ingested already.
    ///   - executable: reads other files in a process of its own; nil reads them in this one.
    init(cache: StageCache, executable: String?) {
        self.cache = cache
        self.executable = executable
    }

    /// The same of all channels and time points of a volume.
    ///
    /// - Returns: nil where the file cannot be opened, which ingesting it will say.
    func extent(of step: IngestStep) -> LabelPlacement.Extent? {
        let place = step.ingest.source.location
        if let known = known[place] { return known }
        let ingested = try? cache.output(of: step).json(IngestedVolume.self, Ingest.recordName).extent
        let extent = ingested ?? look(into: step.ingest)
        known[place] = .some(extent)
        return extent
    }

    private func look(into ingest: Ingest) -> LabelPlacement.Extent? {
        try? InspectedFiles.inspect(ingest, voxels: false, executable: executable) { false }
            .extent(ingest.source.subject)
    }
}
