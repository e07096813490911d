import Foundation
import Inference
import Training
import Volumes

/// What must hold of each file, and of files that go together.
struct VolumeChecks {
    let file: PipelineFile
    let inspections: InspectedFiles
    /// Topmost keys of the pipeline file below which something is at fault: what follows from them is not judged.
    let atFault: Set<String>

    /// What a file is to a pipeline, in words.
    private enum Role: String {
        case image, labels, mask, volume, truth
        case measured = "to measure"
        case excluded = "to exclude"
    }

    private var sizeIsAtFault: Bool { atFault.contains("voxel_size") }
    private var networkIsAtFault: Bool { atFault.contains("network") || atFault.contains("model") }

    func check(into report: inout CheckReport) {
        for entry in file.train { check(entry, &report) }
        for entry in file.segment { check(entry, &report) }
        checkTraining(&report)
        let overlaps = LabelOverlap.find(among: file.train) { source, role in
            (role == .image ? inspections.image(source) : inspections.labels(source)).extent(source.subject)
        }
        for overlap in overlaps { report.add(.error, overlap.file, overlap.problem) }
    }

    // MARK: One volume

    private func check(_ entry: TrainingEntry, _ report: inout CheckReport) {
        let images = entry.images.map { ($0, inspections.image($0)) }
        for (source, image) in images {
            list(source, .image, image, &report)
            if let constancy = image.statistics?.constancy {
                report.add(.error, source.subject, "\(constancy): there is nothing to learn from")
            }
        }
        let labels = inspections.labels(entry.labels)
        for (source, image) in images
        where source.path == entry.labels.path && source.selection == entry.labels.selection
            && image.dataset == labels.dataset
        {
            report.add(.error, entry.labels.subject, "is both the image and its labels")
        }
        list(entry.labels, .labels, labels, &report)
        check(labels, of: entry, &report)
        check(labels, placedBy: entry, in: images[0].1, &report)
        var companions = Array(images.dropFirst())
        if let mask = entry.mask {
            let inspection = inspections.mask(mask)
            list(mask, .mask, inspection, &report)
            // A mask may cover what its labels do.
            if inspection.shape != labels.shape { companions.append((mask, inspection)) }
        }
        for (source, companion) in companions {
            check(companion, source, fits: images[0].1, images[0].0, &report)
        }
    }

    private func check(_ entry: VolumeEntry, _ report: inout CheckReport) {
        let images = Array(zip(entry.images, inspections.images(entry)))
        for (source, image) in images {
            list(source, .volume, image, &report)
            if let constancy = image.statistics?.constancy { report.add(.warning, source.subject, constancy) }
        }
        var companions = Array(images.dropFirst())
        if let truth = inspections.truth(entry), let source = entry.truth {
            list(source, .truth, truth, &report)
            companions.append((source, truth))
            if file.train.contains(where: { $0.image.isSamePlace(as: entry.image) }) {
                report.add(
                    .warning, entry.image.subject,
                    "is learnt from and scored too; such a score says nothing about other volumes")
            }
        }
        for source in entry.measured {
            let volume = inspections.image(source)
            list(source, .measured, volume, &report)
            companions.append((source, volume))
        }
        if let source = entry.exclusion {
            list(source, .excluded, inspections.values(source), &report)
            companions.append((source, inspections.values(source)))
        }
        for (source, companion) in companions {
            check(companion, source, fits: images[0].1, images[0].0, &report)
        }
        if let roi = entry.roi, let shape = images[0].1.shape {
            do {
                _ = try roi.box(in: shape, of: entry.image.subject, as: "roi")
            } catch {
                report.add(.error, entry.image.subject, (error as? FileFault)?.problem ?? "\(error)")
            }
        }
        checkSize(of: images[0].1, images[0].0, &report)
    }

    private func list(
        _ source: SourceLocation, _ role: Role, _ inspection: VolumeInspection, _ report: inout CheckReport
    ) {
        var read = source
        if inspection.isChosen, let dataset = inspection.dataset { read.title += ":" + dataset }
        for problem in inspection.errors { report.add(.error, read.subject, problem) }
        if let problem = inspection.sizeProblem, !sizeIsAtFault { report.add(.error, read.subject, problem) }
        if role == .image || role == .volume {
            let doubt = inspection.shape?.z == 1 ? nil : inspection.voxelSize?.doubt
            for warning in [doubt, inspection.statistics?.outlier].compactMap({ $0 }) {
                report.add(.warning, read.subject, warning)
            }
        }
        for note in inspection.notes { report.add(.warning, read.subject, note) }
        report.files.append(
            CheckReport.File(
                role: role.rawValue, file: read.subject, shape: inspection.shape?.array,
                type: inspection.elementType?.rawValue,
                voxelSizeNanometers: inspection.voxelSize?.nanometers.array,
                voxelSize: inspection.voxelSize?.description, minimum: inspection.statistics?.minimum,
                maximum: inspection.statistics?.maximum, objects: inspection.labels?.count))
    }

    private func check(_ labels: VolumeInspection, of entry: TrainingEntry, _ report: inout CheckReport) {
        guard let statistics = labels.statistics, let ids = labels.labels, ids.count > 0 else { return }
        let title = entry.labels.subject
        if ids.count == 1 {
            // A mask, whose connected pieces are taken for objects where their inside is learnt.
            report.add(
                file.target.heads.contains(.foreground) ? .note : .warning, title,
                "has one id only, \(ids.largest); objects that touch need numbers of their own")
        } else if ids.smallest != 1 || ids.largest != UInt64(ids.count),
            labels.shape == inspections.image(entry.image).shape
        {
            // Those of a crop start anywhere.
            report.add(
                .note, title,
                "\(grouped(ids.count)) objects are numbered \(ids.smallest) to \(ids.largest), with gaps; harmless unless "
                    + "objects were lost")
        }
        let voxels = Double(labels.shape?.count ?? 0) * (1 - statistics.zeros)
        // Intensities have many values, and few voxels each; dense labels have neither.
        if ids.count > 1000, voxels < (statistics.zeros == 0 ? 300 : 50) * Double(ids.count) {
            report.add(
                .warning, title,
                "has \(grouped(ids.count)) ids of \(Int(voxels) / ids.count) voxels each, as intensities have: are image and labels swapped?"
            )
        }
        guard entry.unlabelled == .none, entry.mask == nil else { return }
        if let doubt = ids.sections.doubt {
            report.add(.warning, title, doubt)
        } else if statistics.zeros > 0.5 {
            // Right in most light microscopy.
            report.add(
                .note, title,
                "\(Int(statistics.zeros * 100)) % are 0, which counts as outside of all objects; write 'unlabelled: 0' "
                    + "where it means not annotated")
        }
    }

    /// Labels may be those of a box of their image.
    private func check(
        _ labels: VolumeInspection, placedBy entry: TrainingEntry, in image: VolumeInspection,
        _ report: inout CheckReport
    ) {
        guard let inner = labels.extent(entry.labels.subject), let outer = image.extent(entry.image.subject) else {
            return
        }
        guard checkVoxels(labels, entry.labels, like: image, entry.image, &report) else { return }
        do {
            _ = try LabelPlacement.box(of: inner, in: outer, at: entry.place)
        } catch let fault as FileFault {
            report.add(.error, fault.file, fault.problem)
        } catch {
            report.add(.error, entry.labels.subject, "\(error)")
        }
    }

    /// Shape and voxel size of what goes with an image.
    private func check(
        _ companion: VolumeInspection, _ source: SourceLocation, fits image: VolumeInspection,
        _ imageSource: SourceLocation, _ report: inout CheckReport
    ) {
        guard let shape = companion.shape, let expected = image.shape else { return }
        if shape != expected {
            report.add(
                .error, source.subject,
                "has shape \(shape), but its image \(imageSource.subject) has \(expected)")
        }
        _ = checkVoxels(companion, source, like: image, imageSource, &report)
    }

    /// Whether they are of one size and lie alike.
    private func checkVoxels(
        _ companion: VolumeInspection, _ source: SourceLocation, like image: VolumeInspection,
        _ imageSource: SourceLocation, _ report: inout CheckReport
    ) -> Bool {
        let name = "its image \(imageSource.subject)"
        let problems = [
            VoxelSizeRule.problem(companion.voxelSize, like: image.voxelSize, of: name),
            VolumeFrame.problem(companion.frame, like: image.frame, of: name),
            SectionNumbers.problem(companion.sections, like: image.sections, of: name),
        ].compactMap { $0 }
        for problem in problems { report.add(.error, source.subject, problem) }
        return problems.isEmpty
    }

    // MARK: All together

    /// A volume of other voxels than the networks work at is resampled, unless they are too far from these.
    private func checkResolution(
        of image: VolumeInspection, _ source: SourceLocation, _ report: inout CheckReport
    ) {
        guard let resolution = inspections.resolution(file), let extent = image.extent(source.subject) else {
            return
        }
        do {
            if let resampling = try resolution.resampling(of: extent) {
                report.add(.note, source.subject, resampling.note)
            }
        } catch let fault as FileFault {
            report.add(.error, fault.file, fault.problem)
        } catch {
            report.add(.error, source.subject, "\(error)")
        }
    }

    /// A volume to segment.
    private func checkSize(
        of image: VolumeInspection, _ source: SourceLocation, _ report: inout CheckReport
    ) {
        checkResolution(of: image, source, &report)
        if let shape = image.shape, shape.z == 1, !networkIsAtFault, file.network.configuration.dimensions == 3 {
            report.add(
                .warning, source.subject,
                "is a single section, which a 3D network is to segment; write {image: folder/} or {image: \"folder/*\"} "
                    + "where the files of a folder are the sections of one volume")
        }
    }

    private func checkTraining(_ report: inout CheckReport) {
        let images = file.train.map { ($0, inspections.image($0.image)) }
        let sized = images.filter { $0.1.voxelSize != nil }
        guard let (first, known) = sized.first, let voxelSize = known.voxelSize else { return }
        let learnt = file.resolution ?? voxelSize
        if let note = file.noteOnResolution { report.add(.warning, file.path, note) }
        for (entry, image) in sized {
            if file.resolution != nil {
                checkResolution(of: image, entry.image, &report)
            } else if let problem = VoxelSizeRule.problem(image.voxelSize, like: voxelSize, of: first.image.subject)
            {
                report.add(.error, entry.image.subject, problem + VoxelSizeRule.resolutionAdvice)
            }
        }
        do {
            let network = try file.network(voxelSize: learnt)
            try file.check(network, suits: file.model)
            if !networkIsAtFault { try file.checkPatch(against: network) }
        } catch let fault as PipelineFault {
            report.add(fault)
        } catch {
            report.add(.error, file.path, "\(error)")
        }
        for (entry, image) in images {
            guard let shape = image.shape.map({ seen(Box($0), of: image).shape }) else { continue }
            if networkIsAtFault { break }
            if image.shape?.z == 1 && file.network.configuration.dimensions == 3 {
                report.add(
                    .error, entry.image.subject,
                    "is a single section; write dimensions: 2 below network: to learn from images")
            } else if !atFault.contains("training"),
                zip(file.training.patch.array, shape.array).contains(where: { $0 > $1 })
            {
                report.add(
                    .warning, entry.image.subject,
                    "training.patch, \(file.training.patch), reaches beyond its \(shape): what is outside is padded and "
                        + "does not count")
            }
        }
        checkClasses(&report)
        checkSplit(images.map(\.1), &report)
    }

    /// Whether some voxel is of each class that the target names.
    private func checkClasses(_ report: inout CheckReport) {
        let found = file.train.compactMap { inspections.labels($0.labels).labels?.ids }
        guard found.count == file.train.count, found.allSatisfy({ !$0.isEmpty }) else { return }
        let known = Set(found.joined())
        for case .classes(let classes) in file.target.heads {
            for label in classes where !known.contains(UInt64(label)) {
                let others = known.sorted().prefix(10).map(String.init).joined(separator: ", ")
                report.add(
                    .error, "train", "no voxel is of class \(label), which target names; there are \(others)")
            }
        }
    }

    /// A box of an image to learn from, in voxels of the resolution that the networks work at.
    private func seen(_ box: Box, of image: VolumeInspection) -> Box {
        inspections.resolution(file)?.box(box, of: image.voxelSize) ?? box
    }

    /// Whether the annotation can be shared out among the members.
    private func checkSplit(_ images: [VolumeInspection], _ report: inout CheckReport) {
        let boxes = zip(file.train, images).compactMap { entry, image -> Box? in
            guard var box = (inspections.labels(entry.labels).shape ?? image.shape).map({ Box($0) }) else {
                return nil
            }
            if let mask = entry.mask, let filled = inspections.mask(mask).filled { box = box.intersection(filled) }
            if entry.unlabelled != .none, var filled = inspections.labels(entry.labels).filled {
                if entry.unlabelled == .sections {
                    (filled.origin.y, filled.shape.y) = (box.origin.y, box.shape.y)
                    (filled.origin.x, filled.shape.x) = (box.origin.x, box.shape.x)
                }
                box = box.intersection(filled)
            }
            return seen(box, of: image)
        }
        guard boxes.count == images.count else { return }
        do {
            _ = try AnnotationSplit(
                annotations: boxes, across: file.ensemble.across, calibration: file.ensemble.calibration,
                members: file.ensemble.members)
        } catch {
            report.add(.error, "train", "\(error)")
        }
    }
}

extension SourceLocation {
    fileprivate func isSamePlace(as other: SourceLocation) -> Bool {
        path == other.path && dataset == other.dataset && selection == other.selection
    }
}

extension VolumeInspection {
    /// nil where the file could not be opened.
    func extent(_ title: String) -> LabelPlacement.Extent? {
        shape.map { LabelPlacement.Extent(title: title, shape: $0, voxelSize: voxelSize, position: position) }
    }
}
