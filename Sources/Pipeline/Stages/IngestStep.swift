import Foundation
import Volumes

/// Ingests one file in a process of its own.
struct IngestStep: VolumeStep {
    let ingest: Ingest
    let volume: String?
    let ingredients: Ingredients
    let key: String
    let dependencies: [any Step] = []
    var source: IngestStep { self }

    /// - Parameter digest: of the file's content.
    init(_ ingest: Ingest, digest: String, volume: String?) throws {
        self.ingest = ingest
        self.volume = volume
        var parameters = ["role": ingest.role.rawValue]
        parameters["dataset"] = ingest.source.dataset
        parameters["channel"] = ingest.source.selection.channel.map(String.init)
        parameters["time"] = ingest.source.selection.time.map(String.init)
        if let size = ingest.voxelSize {
            parameters["voxel_size"] = "\(size.size)"
            parameters["voxel_size.replace"] = size.replaces ? "true" : "false"
        }
        ingredients = Ingredients(
            stage: .ingest, version: 1, subject: ingest.source.subject, parameters: parameters,
            inputs: [.source(ingest.source, digest: digest)])
        key = try ingredients.key
    }

    func run(in folder: String, _ context: StepContext) throws -> Results? {
        guard let executable = context.executable else {
            try ingest.run(into: folder, threads: context.threads)
            return nil
        }
        try WorkerOrder.ingest(ingest, folder: folder, threads: context.threads).run(
            by: executable, title: ingest.source.subject, shouldStop: context.shouldStop
        ) { context.report(StepProgress(fraction: $0)) }
        let record = FileManager.default.contents(atPath: folder + "/" + Ingest.recordName)
            .flatMap { try? JSONDecoder().decode(IngestedVolume.self, from: $0) }
        for note in record?.notes ?? [] { context.report(StepProgress(fraction: 1, note: note)) }
        return nil
    }
}
