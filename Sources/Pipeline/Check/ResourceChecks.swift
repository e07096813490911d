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
            var precision = ChosenPrecision(workFolder: workFolder)
            let execution = try Execution(file.execution, options, &precision)
            try checkMemory(execution, &report)
        } catch is PipelineFault {
            // The network's; what is checked of the volumes to learn from says it.
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
            let images = entry.images.map(inspections.image)
            let annotation = [inspections.labels(entry.labels)] + (entry.mask.map { [inspections.mask($0)] } ?? [])
            for volume in images + annotation { bytes += stored(volume) + resampled(volume, like: images[0]) }
            training += images.reduce(0) { $0 + seen($1) }
        }
        let members = Double(file.ensemble.members * storedChannels)
        if file.consensus.threshold == nil { bytes += training * file.ensemble.calibration * members * 2 }
        for entry in file.segment {
            let images = inspections.images(entry)
            // Logits of each member and of their consensus; votes and mask; regions and labels.
            var volume = seen(images[0]) * (members * 2 + 2 * Double(storedChannels) + 2)
            if let regrow = file.label.regrow {
                volume += seen(images[0]) * (regrow.voteThreshold == nil ? 4 : 5)
            }
            // The labels, and again for people, in at most 32 bits, with the votes.
            volume += voxels(images[0]) * (4 + 1 + 4 * Double(file.export.formats.count))
            for image in images { volume += stored(image) + resampled(image, like: images[0]) }
            // Votes that have returned to the grid of the file.
            if resampled(images[0], like: images[0]) > 0 { volume += voxels(images[0]) }
            volume += stored(inspections.truth(entry))
            volume += entry.measured.reduce(0) { $0 + stored(inspections.image($1)) }
            volume += entry.exclusion.map { stored(inspections.values($0)) } ?? 0
            bytes += volume
        }
        return bytes < 9e18 ? Int(bytes) : .max
    }

    private var storedChannels: Int {
        resolution.map {
            StoredOutputs(file.target, voxelSize: $0.size, dimensions: file.network.configuration.dimensions)
                .channels.count
        } ?? 1
    }

    private var resolution: WorkingResolution? { inspections.resolution(file) }

    private func voxels(_ inspection: VolumeInspection?) -> Double { product(inspection?.shape) }

    private func product(_ shape: ZYX<Int>?) -> Double { shape?.array.reduce(1.0) { $0 * Double($1) } ?? 0 }

    /// The voxels of an image as the networks see it.
    private func seen(_ image: VolumeInspection) -> Double {
        guard let shape = image.shape, let resolution else { return voxels(image) }
        return product(resolution.box(Box(shape), of: image.voxelSize).shape)
    }

    /// Bytes of an image, or of what goes with it, at the resolution that the networks work at; 0 where that is its own.
    private func resampled(_ volume: VolumeInspection, like image: VolumeInspection) -> Double {
        guard let resolution, let size = image.voxelSize, !resolution.suits(size) else { return 0 }
        let volumes = product(image.shape)
        return volumes > 0 ? stored(volume) * seen(image) / volumes : 0
    }

    private func stored(_ inspection: VolumeInspection?) -> Double {
        voxels(inspection) * Double(inspection?.elementType?.size ?? 0)
    }

    // MARK: Memory

    /// The smallest tile of a prediction must fit; so must the annotated volumes.
    private func checkMemory(_ execution: Execution, _ report: inout CheckReport) throws {
        guard let resolution else { return }
        let network = try PlannedNetwork(
            file.network(voxelSize: resolution.size), patch: file.training.patch, voxelSize: resolution.size, file)
        let geometry = network.geometry
        let tile = network.tileCost(members: file.ensemble.members, precision: execution.precision)
            .bytes(of: geometry.smallTile)
        if tile > execution.tileMemory {
            report.add(
                .warning, file.place(of: "execution.memory") ?? file.path,
                "the network takes \(Bytes.format(tile)) for a tile of \(geometry.smallTile.input.shape), and "
                    + "\(Bytes.format(execution.tileMemory)) are given")
        }
        let available = Double(Machine.availableMemory)
        // The images, labels in 32 bits as they are and by size, target, weights and mask.
        let annotated =
            file.train.reduce(0.0) { sum, entry in
                sum
                    + entry.images.map(inspections.image).reduce(11 * seen(inspections.image(entry.image))) {
                        $0 + seen($1) * Double($1.elementType?.size ?? 0)
                    }
            } * Double(min(execution.membersAtOnce, file.ensemble.members))
        if annotated > available {
            report.add(
                .error, "train",
                "the annotated volumes take \(Bytes.format(Int(min(annotated, 9e18)))) of memory, and "
                    + "\(Bytes.format(Machine.availableMemory)) are free")
        }
    }
}
