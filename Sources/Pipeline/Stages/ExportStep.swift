import Foundation
import Labeling
import Reports
import Volumes

/// Writes a volume's results where people and other tools find them.
struct ExportStep: Step {
    let name: String
    let labels: LabelStep
    let image: IngestStep
    let settings: ExportSettings
    /// Whether scores against a truth stand beside the results.
    let isScored: Bool
    /// The results folder of the pipeline.
    let results: String
    let ingredients: Ingredients
    let key: String

    init(
        name: String, labels: LabelStep, image: IngestStep, settings: ExportSettings, isScored: Bool,
        results: String
    ) throws {
        self.name = name
        self.labels = labels
        self.image = image
        self.settings = settings
        self.isScored = isScored
        self.results = results
        var parameters = try Pipeline.parameters("export", settings)
        // The folder of the results is part of what was asked for.
        parameters["results"] = (results as NSString).lastPathComponent + "/" + name
        parameters["scored"] = "\(isScored)"
        ingredients = Ingredients(
            stage: .export, version: 5, subject: name, parameters: parameters,
            inputs: [labels.input("labels"), labels.consensus.input("consensus"), image.input("image")])
        key = try ingredients.key
    }

    static let containerName = "segmentation.zarr"
    /// The objects of the consensus alone, where others were grown from them.
    static let consensusName = "labels-consensus.tif"

    var volume: String? { name }
    var dependencies: [any Step] { [labels, labels.consensus, image] }
    var folder: String { results + "/" + name }
    var resultsFolder: String? { folder }

    func run(in _: String, _ context: StepContext) throws -> Results? {
        try AtomicFile.makeFolder(folder)
        let record = try labels.record(context)
        let store = try context.cache.output(of: labels).store(LabelStep.storeName)
        var files = [LabelStep.tableName, LabelStep.contactsName, "overview.png", "votes.tif"]
        try removeStale()
        try copyTables(context)
        if settings.formats.contains(.tiff) {
            try writeTIFF(store, to: "labels.tif", objects: record.objects, context)
            files.append("labels.tif")
            if labels.regrow != nil {
                let consensus = try context.cache.output(of: labels).store(LabelStep.consensusName)
                try writeTIFF(consensus, to: Self.consensusName, objects: record.consensusObjects, context)
                files.append(Self.consensusName)
            }
        }
        if settings.formats.contains(.hdf5) {
            try writeHDF5(store, context)
            files.append("labels.h5")
        }
        if settings.formats.contains(.omeZarr) {
            try writeContainer(store, context)
            files += filesBelow(folder + "/" + Self.containerName).map { Self.containerName + "/" + $0 }
        }
        try writeVotes(context)
        context.report(StepProgress(fraction: 0.9))
        try Reports.drawOverview(
            planes: try labels.pictures(over: image, context).planes(), members: labels.consensus.predictions.count,
            title: name, to: folder + "/overview.png")
        return Results(root: folder, files: files)
    }

    /// What people must know to open the labels, if anything.
    func advice(_ context: StepContext) throws -> String? {
        let record = try labels.record(context)
        if record.objects == 0 {
            return try labels.consensus.record(context).inside == 0
                ? "no voxel reaches the threshold by the rule '\(labels.consensus.agree)'"
                : "all components have fewer than label.min_voxels = \(labels.settings.minimumVoxels) voxels"
        }
        guard settings.formats.contains(.tiff) else { return nil }
        let shape = try image.record(context).shape
        let (flavor, _) = try LabelTIFF.flavor(maximumLabel: UInt64(record.objects), shape: shape)
        return flavor == .ome
            ? "32-bit OME-TIFF: open it in Fiji with Bio-Formats (File › Import › Bio-Formats)" : nil
    }

    /// Files of an earlier export that this one does not write must not stand beside its own.
    private func removeStale() throws {
        var stale = isScored ? [] : EvaluateStep.names
        if !settings.formats.contains(.tiff) { stale.append("labels.tif") }
        if !settings.formats.contains(.tiff) || labels.regrow == nil { stale.append(Self.consensusName) }
        if !settings.formats.contains(.hdf5) { stale.append("labels.h5") }
        if !settings.formats.contains(.omeZarr) {
            try? FileManager.default.removeItem(atPath: folder + "/" + Self.containerName)
        }
        for name in stale where FileManager.default.fileExists(atPath: folder + "/" + name) {
            guard unlink(folder + "/" + name) == 0 else {
                throw FileFault(folder + "/" + name, "of an earlier run cannot be removed: \(systemReason())")
            }
        }
    }

    private func copyTables(_ context: StepContext) throws {
        for name in [LabelStep.tableName, LabelStep.contactsName] {
            let path = try context.cache.output(of: labels).file(name)
            try AtomicFile.write(try Data(contentsOf: URL(fileURLWithPath: path)), to: folder + "/" + name)
        }
    }

    private func writeTIFF(
        _ store: BlockStore, to name: String, objects: Int, _ context: StepContext
    ) throws {
        let shape = store.layout.shape
        let (flavor, type) = try LabelTIFF.flavor(maximumLabel: UInt64(objects), shape: shape)
        let writer = try TIFFWriter(
            path: folder + "/" + name, flavor: flavor, shape: shape, elementType: type,
            voxelSize: store.layout.voxelSize)
        try store.forEachSlab(context) { slab, z in
            try writer.write(type == .uint16 ? VoxelBuffer(slab.converted(to: UInt16.self)) : slab, atZ: z)
        }
        try writer.finish()
    }

    private func writeHDF5(_ store: BlockStore, _ context: StepContext) throws {
        let writer = try HDF5Writer(
            path: folder + "/labels.h5", dataset: "/labels", shape: store.layout.shape, elementType: .uint32,
            voxelSize: store.layout.voxelSize, position: try image.record(context).position,
            threads: context.threads)
        try store.forEachSlab(context) { try writer.write($0, atZ: $1) }
        try writer.finish()
    }

    /// Image and labels side by side, at the same levels.
    private func writeContainer(_ store: BlockStore, _ context: StepContext) throws {
        let (source, record) = (try image.store(context), try image.record(context))
        let labels = OMEZarrWriter.Part.labels("objects")
        let writer = try OMEZarrWriter(
            path: folder + "/" + Self.containerName, shape: record.shape,
            parts: [.image: record.elementType, labels: store.layout.elementType], voxelSize: record.voxelSize,
            position: record.position, threads: context.threads)
        try source.forEachSlab(context) { try writer.write($0, atZ: $1, to: .image) }
        try store.forEachSlab(context) { try writer.write($0, atZ: $1, to: labels) }
        try writer.finish()
    }

    private func writeVotes(_ context: StepContext) throws {
        let votes = try labels.votes(context)
        let writer = try TIFFWriter(
            path: folder + "/votes.tif", flavor: LabelTIFF.flavor(of: .uint8, shape: votes.layout.shape),
            shape: votes.layout.shape, elementType: .uint8, voxelSize: votes.layout.voxelSize)
        try votes.forEachSlab(context) { try writer.write($0, atZ: $1) }
        try writer.finish()
    }
}
