import Foundation
import Volumes

/// Ingests one file in a process of its own.
struct IngestStep: Step {
    let ingest: Ingest
    let volume: String?
    let ingredients: Ingredients
    let key: String
    let dependencies: [any Step] = []

    /// - Parameter digest: of the file's content.
    init(_ ingest: Ingest, digest: String, volume: String?) throws {
        self.ingest = ingest
        self.volume = volume
        var parameters = ["role": ingest.role.rawValue]
        parameters["dataset"] = ingest.source.dataset
        if let size = ingest.voxelSize {
            parameters["voxel_size"] = "\(size.size)"
            parameters["voxel_size.replace"] = size.replaces ? "true" : "false"
        }
        ingredients = Ingredients(
            stage: .ingest, version: 1, subject: ingest.source.title, parameters: parameters,
            inputs: [.source(ingest.source, digest: digest)])
        key = try ingredients.key
    }

    func run(in folder: String, _ context: StepContext) throws -> Results? {
        guard let executable = context.executable else {
            try ingest.run(into: folder)
            return nil
        }
        try WorkerOrder.ingest(ingest, folder: folder).run(
            by: executable, title: ingest.source.title, shouldStop: context.shouldStop)
        return nil
    }

    /// What the step learnt of the volume.
    func record(_ context: StepContext) throws -> IngestedVolume {
        try context.cache.output(of: self).json(IngestedVolume.self, Ingest.recordName)
    }

    func store(_ context: StepContext) throws -> BlockStore {
        try context.cache.output(of: self).store(Ingest.storeName)
    }
}
