import Foundation
import Volumes

extension TrainingEntry {
    /// The annotated volumes that `train:` names: `{image, labels}` with files or patterns; or a folder, a pattern or an
    /// image alone, whose labels are found by the names that nnU-Net, Cellpose and others give them.
    ///
    /// - Parameter faults: gets a fault for each entry without image or labels.
    static func expand(
        _ key: YAMLValue, folder: String, faults: inout [PipelineFault]
    ) throws -> [TrainingEntry] {
        var entries: [TrainingEntry] = []
        let values = try key.elements()
        for value in values {
            do {
                entries += value.isMapping ? try stated(value, folder: folder) : try found(value, folder: folder)
            } catch let fault as PipelineFault {
                faults.append(fault)
            }
        }
        if values.isEmpty { throw key.misfit("a list of at least one image with labels") }
        return entries
    }

    /// Images for whom nothing is said of their labels.
    private static func found(_ value: YAMLValue, folder: String) throws -> [TrainingEntry] {
        let paths = try ImagePaths(value, folder: folder, searchesFolders: true)
        let others = paths.isFolder ? [] : try beside(paths, value)
        let pairs = try value.located {
            try LabelPairing.pairs(in: paths.found.map(\.path), and: others, base: paths.base)
        }
        // nnU-Net's test images are there to be segmented.
        let training = pairs.filter { !$0.images[0].lowercased().contains("/imagests/") }
        let entries = try training.map { pair in
            let images = pair.images.map {
                SourceLocation(found: $0, dataset: paths.dataset, relativeTo: folder)
            }
            guard let labels = pair.labels else { throw value.fault(unlabelled(images[0].title)) }
            return TrainingEntry(
                images: images, labels: SourceLocation(found: labels, dataset: nil, relativeTo: folder), mask: nil,
                zeroIsUnlabelled: false, place: nil, line: value.line)
        }
        guard !entries.isEmpty else { throw value.fault("\(try value.text()) holds no image with labels") }
        return entries
    }

    private static func beside(_ paths: ImagePaths, _ value: YAMLValue) throws -> [String] {
        try value.located { try VolumeListing.below(paths.base) }.map { paths.base + "/" + $0 }
    }

    private static func unlabelled(_ image: String) -> String {
        let name = VolumeListing.stem(image)
        return
            "\(image) has no labels: there is no \(name)_masks or \(name)_labels beside it, nor \(name) in a folder "
            + "masks, labels or labelsTr beside its own; say which they are, as in "
            + "{image: \(image), labels: labels.tif}"
    }

    private static func stated(_ value: YAMLValue, folder: String) throws -> [TrainingEntry] {
        let keys = try value.mapping(of: [
            "image", "labels", "mask", "unlabelled", "at", "channel", "channels", "time",
        ])
        let inputs = try InputKeys(value, keys, allowsEveryTime: false)
        guard let labels = keys["labels"] else { throw value.fault("\(value.name) lacks 'labels'") }
        let place = try keys["at"]?.place()
        let zeroIsUnlabelled = try keys["unlabelled"]?.zeroIsUnlabelled() ?? false
        return try inputs.volumes(folder: folder).map { image, images in
            func partner(_ value: YAMLValue, _ what: String) throws -> SourceLocation {
                var location = try value.partner(of: image, folder: folder, as: what)
                location.selection.time = inputs.time
                return location
            }
            return TrainingEntry(
                images: images, labels: try partner(labels, "labels"),
                mask: try keys["mask"].map { try partner($0, "mask") }, zeroIsUnlabelled: zeroIsUnlabelled,
                place: place, line: value.line)
        }
    }
}

extension YAMLValue {
    /// `[z, y, x]`, or `{z: 0, y: 0, x: 0}`.
    fileprivate func place() throws -> ZYX<Int> {
        if isMapping {
            let keys = try mapping(of: ["z", "y", "x"])
            let axes = try ["z", "y", "x"].map { try keys[$0]?.integer(atLeast: 0, atMost: 1 << 40) ?? 0 }
            return ZYX(axes[0], axes[1], axes[2])
        }
        let axes = try triple(atLeast: 0, atMost: 1 << 40)
        return ZYX(axes[0], axes[1], axes[2])
    }

    fileprivate func zeroIsUnlabelled() throws -> Bool {
        switch try text() {
        case "0": true
        case "none": false
        default: throw misfit("0 or none")
        }
    }
}
