import Foundation
import Inference
import Tensors
import Volumes

#if canImport(Glibc)
    import Glibc
#endif

/// Whether this machine has what a run takes: the device, memory, and room on the disk.
struct ResourceChecks {
    let file: PipelineFile
    let inspections: InspectedFiles
    let workFolder: String
    let options: RunOptions

    func check(into report: inout CheckReport) {
        for folder in [workFolder, file.resultsFolder] { checkWritable(folder, &report) }
        checkDisk(&report)
        do {
            let execution = try Execution(file.execution, options)
            try checkMemory(execution, &report)
        } catch {
            report.add(.error, file.path, "\(error)")
        }
    }

    private func checkWritable(_ folder: String, _ report: inout CheckReport) {
        var path = folder
        while !FileManager.default.fileExists(atPath: path) { path = (path as NSString).deletingLastPathComponent }
        var isFolder: ObjCBool = false
        _ = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
        if !isFolder.boolValue {
            report.add(.error, shortened(path), "is a file where a folder should be")
        } else if access(path, W_OK) != 0 {
            report.add(.error, shortened(path), "cannot be written: \(systemReason())")
        }
    }

    // MARK: Disk

    /// What all stages of a run write, were nothing compressed, without what is there already.
    private func checkDisk(_ report: inout CheckReport) {
        let needed = bytesNeeded - sizeOfFolder(workFolder)
        let free = Machine.freeDisk(at: workFolder)
        report.diskNeeded = max(0, needed)
        report.diskFree = free
        let sizes = "up to \(Bytes.format(max(0, needed))) are needed and \(Bytes.format(free)) free"
        // Logits and images shrink to a quarter at best.
        if needed / 4 > free {
            report.add(.error, shortened(workFolder), "the disk is too small: \(sizes)")
        } else if needed > free {
            report.add(
                .warning, shortened(workFolder), "the disk may be too small: \(sizes) (stores are compressed)")
        }
    }

    private var bytesNeeded: Int {
        var bytes = Double(file.model.flatMap { FileStamp($0.path)?.size } ?? 0)
        var training = 0.0
        for entry in file.train {
            for image in entry.images {
                bytes += stored(inspections.image(image))
                training += voxels(inspections.image(image))
            }
            bytes += stored(inspections.labels(entry.labels)) + stored(entry.mask.map(inspections.mask))
        }
        let members = Double(file.ensemble.members * storedChannels)
        if file.consensus.threshold == nil { bytes += training * file.ensemble.calibration * members * 2 }
        for entry in file.segment {
            let images = inspections.images(entry)
            // Logits of each member and of their consensus; votes and mask; regions and labels.
            var volume = voxels(images[0]) * (members * 2 + 2 * Double(storedChannels) + 2 + 4)
            if file.label.regrow != nil { volume += voxels(images[0]) * 4 }
            // The votes and at most 32-bit labels, for people.
            volume += voxels(images[0]) * (1 + 4 * Double(file.export.formats.count))
            for image in images { volume += stored(image) }
            volume += stored(inspections.truth(entry))
            bytes += volume
        }
        return bytes < 9e18 ? Int(bytes) : .max
    }

    private var storedChannels: Int {
        inspections.learntVoxelSize(file).map {
            StoredOutputs(file.target, voxelSize: $0, dimensions: file.network.configuration.dimensions).channels
                .count
        } ?? 1
    }

    private func voxels(_ inspection: VolumeInspection?) -> Double {
        inspection?.shape?.array.reduce(1.0) { $0 * Double($1) } ?? 0
    }

    private func stored(_ inspection: VolumeInspection?) -> Double {
        voxels(inspection) * Double(inspection?.elementType?.size ?? 0)
    }

    // MARK: Memory

    /// The smallest tile of a prediction must fit; so must the annotated volumes, and the labels of one volume.
    private func checkMemory(_ execution: Execution, _ report: inout CheckReport) throws {
        guard let size = inspections.learntVoxelSize(file) else { return }
        let graph = try file.network(voxelSize: size).graph()
        let geometry = try TileGeometry(graph, patch: file.training.patch)
        let perVoxel = TilePlan.bytesPerVoxel(graph, precision: execution.precision)
        let tile = Int(Double(geometry.smallTile.count) * perVoxel)
        if tile > execution.memory {
            report.add(
                .warning, file.place(of: "execution.memory") ?? file.path,
                "the network takes \(Bytes.format(tile)) for a tile of \(geometry.smallTile), and "
                    + "\(Bytes.format(execution.memory)) are given")
        }
        let available = Double(Machine.availableMemory)
        // The images, labels in 32 bits, target, weights and mask.
        let annotated = file.train.reduce(0.0) { sum, entry in
            sum + entry.images.reduce(0.0) { $0 + stored(inspections.image($1)) }
                + 7 * voxels(inspections.image(entry.image))
        }
        if annotated > available {
            report.add(
                .error, "train",
                "the annotated volumes take \(Bytes.format(Int(min(annotated, 9e18)))) of memory, and "
                    + "\(Bytes.format(Machine.availableMemory)) are free")
        }
        for entry in file.segment {
            let labelled = 5 * voxels(inspections.images(entry)[0])
            guard labelled > available else { continue }
            report.add(
                .error, entry.image.subject,
                "labelling takes \(Bytes.format(Int(min(labelled, 9e18)))) of memory, and "
                    + "\(Bytes.format(Machine.availableMemory)) are free")
        }
    }
}
