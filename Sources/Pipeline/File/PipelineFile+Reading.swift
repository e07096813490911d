import Foundation
import Labeling
import Networks
import Tensors
import Training
import Volumes

extension PipelineFile {
    /// Reads a pipeline file. Files that it names are not opened, but patterns and folders are expanded.
    ///
    /// - Throws: `PipelineFault` for the first thing that is wrong, with its line.
    public init(reading path: String) throws {
        guard let data = FileManager.default.contents(atPath: path) else { throw FileFault.unreadable(path) }
        guard let text = String(data: data, encoding: .utf8) else {
            throw PipelineFault(file: path, problem: "is not text in UTF-8; expected a pipeline file in YAML")
        }
        let document = try YAMLValue.document(of: text, file: path)
        self.path = path
        folder = URL(fileURLWithPath: path).deletingLastPathComponent().standardizedFileURL.path
        lines = document.lines()

        let keys = try document.mapping(of: [
            "name", "voxel_size", "train", "target", "network", "training", "ensemble", "consensus", "label",
            "segment", "export", "execution",
        ])
        name =
            try keys["name"]?.folderName() ?? URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
        voxelSize = try keys["voxel_size"]?.voxelSize()
        if let target = keys["target"] { try target.foreground() }
        network = try keys["network"]?.segmentationNetwork() ?? NetworkSettings()
        let isFlat = network.configuration.dimensions == 2
        training = TrainingConfiguration()
        if isFlat { training.patch = ZYX(1, 256, 256) }
        if let value = keys["training"] { training = try value.training(training) }
        if let statistics = keys["network"]?.value(of: "statistics") {
            training.statistics = try statistics.statistics()
        }
        ensemble = try keys["ensemble"]?.ensemble() ?? EnsembleSettings()
        consensus = try keys["consensus"]?.consensus(members: ensemble.members) ?? ConsensusSettings()
        label = try keys["label"]?.label() ?? LabelSettings()
        export = try keys["export"]?.export() ?? ExportSettings()
        execution = try keys["execution"]?.execution() ?? ExecutionSettings()
        guard let trainKey = keys["train"] else {
            throw PipelineFault(file: path, problem: "the key 'train' is missing: a list of image and labels")
        }
        guard let segmentKey = keys["segment"] else {
            throw PipelineFault(file: path, problem: "the key 'segment' is missing: the volumes to segment")
        }
        let folder = self.folder
        train = try trainKey.elements().map { try $0.trainingEntry(folder: folder) }
        guard !train.isEmpty else { throw trainKey.misfit("a list of at least one image with labels") }
        segment = try VolumeEntry.expand(segmentKey, folder: folder)
        try checkTogether(keys)
    }

    /// Faults that no key has alone.
    private func checkTogether(_ keys: [String: YAMLValue]) throws {
        if ensemble.calibration == 0 && consensus.threshold == nil {
            let value = keys["ensemble"] ?? keys["consensus"]
            throw PipelineFault(
                file: path, line: lines["ensemble.calibration"] ?? value?.line,
                problem: "ensemble.calibration is 0, so consensus.threshold needs a value: "
                    + "'auto' chooses it on the calibration block")
        }
        if case .ghost(let samples) = network.configuration.normalization {
            let sections = network.configuration.dimensions == 2 ? training.patch.z : 1
            guard samples <= training.batch * sections else {
                throw PipelineFault(
                    file: path, line: lines["network.normalization"],
                    problem: "network.normalization: {ghost: \(samples)} is more than the samples of a step, "
                        + "\(training.batch * sections)\(sections > 1 ? " (sections of all patches)" : "")")
            }
        }
        // Without a voxel size or strides the network follows from files not yet read.
        let settings = try Architecture.named(network.configuration.architecture).settings
        if let size = voxelSize?.size {
            try checkPatch(against: network.configuration(voxelSize: size))
        } else if network.configuration.strides != nil || !settings.contains(.strides) {
            try checkPatch(against: network.configuration)
        }
    }

    /// - Throws: `PipelineFault` where the network cannot be applied to the training patch.
    func checkPatch(against network: NetworkConfiguration) throws {
        let graph = try network.graph()
        let extents = Array(training.patch.array.suffix(network.dimensions))
        let samples = training.batch * (network.dimensions == 2 ? training.patch.z : 1)
        do {
            if let single = try graph.normalizationOfOneValue(for: extents, samples: samples) {
                throw PipelineFault(
                    file: path, line: lines["training.patch"] ?? lines["network"],
                    problem: "training.patch, \(training.patch), leaves a single value for \(single) to normalize "
                        + "over; take a larger patch or fewer levels")
            }
        } catch is MisfittingExtents {
            throw PipelineFault(
                file: path, line: lines["training.patch"] ?? lines["network"],
                problem: "training.patch must be \(try graph.fittingExtents()) along "
                    + "\(network.dimensions == 2 ? "y and x" : "z, y and x") for this network, "
                    + "found \(training.patch)")
        }
    }
}

extension YAMLValue {
    /// The line of each key below this one, by dotted name.
    func lines() -> [String: Int] {
        guard case .mapping(let mapping) = node else { return [:] }
        var result: [String: Int] = [:]
        for (key, value) in mapping {
            guard let text = key.string, let line = key.mark?.line else { continue }
            let whole = name.isEmpty ? text : "\(name).\(text)"
            result[whole] = line
            result.merge(
                YAMLValue(node: value, name: whole, file: file, line: line).lines(),
                uniquingKeysWith: { first, _ in first })
        }
        return result
    }

    fileprivate func folderName() throws -> String {
        let name = try text()
        guard !name.contains("/"), name != ".", name != ".." else { throw misfit("a name without '/'") }
        return name
    }

    /// `{z: 40 nm, y: 8 nm, x: 8 nm}`
    fileprivate func voxelSize() throws -> VoxelSizeSetting {
        let keys = try mapping(of: ["z", "y", "x", "replace"])
        func side(_ axis: String) throws -> (Double, LengthUnit) {
            guard let value = keys[axis] else {
                throw fault("\(name) lacks \(axis); expected for example {z: 40 nm, y: 8 nm, x: 8 nm}")
            }
            return try value.length()
        }
        let (z, unit) = try side("z")
        let (y, unitY) = try side("y")
        let (x, unitX) = try side("x")
        var size = VoxelSize(ZYX(z * unit.nanometers, y * unitY.nanometers, x * unitX.nanometers), .nanometer)
        size.unit = unitX
        return VoxelSizeSetting(size: size, replaces: try keys["replace"]?.boolean() ?? false)
    }

    /// A number and a unit: `40 nm`, `0.5 µm`.
    private func length() throws -> (Double, LengthUnit) {
        let expected = "a length with its unit such as '40 nm' (units: nm, µm or um, mm, Å)"
        guard case .scalar(let scalar) = node else { throw misfit(expected) }
        let text = scalar.string.trimmingCharacters(in: .whitespaces)
        let number = text.prefix { "0123456789.eE+-".contains($0) }
        guard let value = Double(number), value > 0, value.isFinite,
            let unit = LengthUnit(spelling: String(text.dropFirst(number.count)))
        else { throw misfit(expected) }
        return (value, unit)
    }

    fileprivate func foreground() throws {
        guard try text() == "foreground" else { throw misfit("foreground") }
    }

    fileprivate func trainingEntry(folder: String) throws -> TrainingEntry {
        let keys = try mapping(of: ["image", "labels", "mask", "unlabelled"])
        func location(_ key: String) throws -> SourceLocation {
            guard let value = keys[key] else { throw fault("\(name) lacks '\(key)'") }
            return SourceLocation(try value.text(), relativeTo: folder)
        }
        var zeroIsUnlabelled = false
        if let unlabelled = keys["unlabelled"] {
            switch try unlabelled.text() {
            case "0": zeroIsUnlabelled = true
            case "none": break
            default: throw unlabelled.misfit("0 or none")
            }
        }
        return TrainingEntry(
            image: try location("image"), labels: try location("labels"),
            mask: keys["mask"] == nil ? nil : try location("mask"), zeroIsUnlabelled: zeroIsUnlabelled)
    }

    fileprivate func ensemble() throws -> EnsembleSettings {
        let keys = try mapping(of: ["members", "calibration"])
        var ensemble = EnsembleSettings()
        if let value = keys["members"] { ensemble.members = try value.integer(atLeast: 1) }
        if let value = keys["calibration"] { ensemble.calibration = try value.number(in: 0...0.5) }
        guard ensemble.members <= 255 else { throw fault("ensemble.members must be at most 255") }
        return ensemble
    }

    fileprivate func consensus(members: Int) throws -> ConsensusSettings {
        let keys = try mapping(of: ["agree", "threshold"])
        var consensus = ConsensusSettings()
        if let value = keys["agree"] {
            guard let rule = AgreementRule(try value.text()) else {
                throw value.misfit("all, majority, mean or a number of members")
            }
            if case .atLeast(let count) = rule, !(1...members).contains(count) {
                throw value.fault("consensus.agree must be from 1 to the \(members) members, found \(count)")
            }
            consensus.agree = rule
        }
        if let value = keys["threshold"] { consensus.threshold = try value.threshold() }
        return consensus
    }

    /// `auto` (nil), a probability, or `{logit: 4.0}`.
    private func threshold() throws -> Threshold? {
        if isMapping {
            guard let logit = try mapping(of: ["logit"])["logit"] else {
                throw misfit("auto, 0.98 or {logit: 4.0}")
            }
            return Threshold(logit: try logit.number(in: -31...31))
        }
        if try text() == "auto" { return nil }
        guard let threshold = Threshold(probability: try number(in: 0...1)) else {
            throw misfit("between 0 and 1, or auto, or {logit: 4.0}")
        }
        return threshold
    }

    fileprivate func label() throws -> LabelSettings {
        let keys = try mapping(of: ["connectivity", "min_voxels"])
        var label = LabelSettings()
        if let value = keys["connectivity"] {
            guard let connectivity = Int(try value.text()).flatMap(Connectivity.init(rawValue:)) else {
                throw value.misfit("6, 18 or 26")
            }
            label.connectivity = connectivity
        }
        if let value = keys["min_voxels"] { label.minimumVoxels = try value.integer(atLeast: 0) }
        return label
    }

    fileprivate func export() throws -> ExportSettings {
        let keys = try mapping(of: ["formats"])
        guard let formats = keys["formats"] else { return ExportSettings() }
        let chosen = try formats.elements().map { try $0.choice(ExportSettings.Format.self) }
        guard !chosen.isEmpty, Set(chosen).count == chosen.count else {
            throw formats.misfit("tiff, hdf5 or both, each once")
        }
        return ExportSettings(formats: chosen)
    }

    fileprivate func execution() throws -> ExecutionSettings {
        let keys = try mapping(of: ["device", "precision", "threads", "memory"])
        var execution = ExecutionSettings()
        if let value = keys["device"] { execution.device = try value.choice(Device.Choice.self) }
        if let value = keys["precision"] {
            execution.precision = try value.choice(ExecutionSettings.Arithmetic.self)
        }
        if let value = keys["threads"] { execution.threads = try value.integer(atLeast: 1) }
        if let value = keys["memory"], try value.text() != "auto" { execution.memory = try value.bytes() }
        return execution
    }

    /// `8 GiB`, `500 MB`, `4G`.
    private func bytes() throws -> Int {
        guard let bytes = Bytes.parse(try text()) else { throw misfit("auto or a size such as '8 GiB'") }
        return bytes
    }
}
