import Foundation
import Inference
import Labeling
import Networks
import Tensors
import Training
import Volumes

extension PipelineFile {
    /// Reads a pipeline file. Patterns and folders are expanded; of files that they name, only such are looked into that may
    /// be the sections of one volume.
    ///
    /// - Parameter executable: this program, which looks into files in a process of its own; nil does so in this one.
    /// - Throws: `PipelineFault` for the first thing that is wrong, with its line.
    public init(reading path: String, executable: String? = nil) throws {
        var faults: [PipelineFault] = []
        let file = try PipelineFile(reading: path, executable: executable, faults: &faults)
        if let first = faults.first { throw first }
        self = file
    }

    /// Reads a pipeline file, with all that is wrong below its keys, in the order of their lines; what is below a key at
    /// fault has its default, or is missing.
    ///
    /// - Throws: `PipelineFault` where the file as a whole is none.
    init(reading path: String, executable: String?, faults: inout [PipelineFault]) throws {
        guard let data = FileManager.default.contents(atPath: path) else { throw FileFault.unreadable(path) }
        guard let text = String(data: data, encoding: .utf8) else {
            throw PipelineFault(file: path, problem: "is not text in UTF-8; expected a pipeline file in YAML")
        }
        let document = try YAMLValue.document(of: text, file: path)
        var found: [PipelineFault] = []
        let known = [
            "name", "voxel_size", "resolution", "model", "train", "target", "network", "training", "ensemble",
            "predict", "consensus", "label", "segment", "export", "evaluate", "execution",
        ]
        guard let keys = try document.read(faults: &found, { try $0.mapping(of: known) }) else { throw found[0] }
        func read<Value>(_ key: String, _ body: (YAMLValue) throws -> Value) throws -> Value? {
            var faults: [PipelineFault] = []
            defer { found += faults }
            return try keys[key]?.read(faults: &faults, body)
        }
        self.path = path
        folder = URL(fileURLWithPath: path).deletingLastPathComponent().standardizedFileURL.path
        lines = document.lines()
        let stem = URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
        name = try read("name") { try $0.folderName() } ?? stem
        voxelSize = try read("voxel_size") { try $0.voxelSize() }
        resolution = try read("resolution") { try $0.resolution() } ?? nil
        let base = folder
        model = try read("model") { try $0.model(relativeTo: base) }
        found += PipelineFile.contradictions(keys)
        let usual = try PipelineDefaults(model?.description)
        target = try read("target") { try $0.target() } ?? usual.target
        network = try read("network") { try $0.segmentationNetwork() } ?? usual.network
        let defaults = usual.training(dimensions: network.configuration.dimensions)
        training = try read("training") { try $0.training(defaults) } ?? defaults
        if let statistics = try read("network", { try $0.value(of: "statistics")?.statistics() }) {
            training.statistics = statistics ?? training.statistics
        }
        ensemble = try read("ensemble") { try $0.ensemble(usual.ensemble) } ?? usual.ensemble
        prediction = try read("predict") { try $0.prediction(usual.prediction) } ?? usual.prediction
        // What agrees cannot be judged by a number that is at fault.
        let members = found.contains { $0.section == "ensemble" } ? 255 : ensemble.members
        consensus = try read("consensus") { try $0.consensus(usual.consensus, members: members) } ?? usual.consensus
        label = try read("label") { try $0.label(usual.label, members: members) } ?? usual.label
        export = try read("export") { try $0.export() } ?? ExportSettings()
        evaluation = try read("evaluate") { try $0.evaluation() } ?? EvaluationSettings()
        execution = try read("execution") { try $0.execution(usual.execution) } ?? usual.execution
        let needed = [
            ("train", "a list of image and labels, or 'model', a trained ensemble"),
            ("segment", "the volumes to segment"),
        ]
        for (key, what) in needed where keys[key] == nil && !(key == "train" && keys["model"] != nil) {
            found.append(PipelineFault(file: path, problem: "the key '\(key)' is missing: \(what)"))
        }
        let file = folder + "/" + (path as NSString).lastPathComponent
        let search = VolumeSearch(
            folder: folder,
            passedOver: [folder + "/results", folder + "/work", file] + (model.map { [$0.path] } ?? []),
            joinsSections: network.configuration.dimensions == 3, executable: executable)
        var findings = FolderFindings(search)
        train = try read("train") { try TrainingEntry.expand($0, search, &findings, faults: &found) } ?? []
        segment = try read("segment") { try VolumeEntry.expand($0, search, &findings, faults: &found) } ?? []
        notes = findings.notes + (noteOnThreshold.map { [$0] } ?? [])
        if execution.externalLinks { allowExternalLinks() }
        if model == nil { network.configuration.inputChannels = train.first?.images.count ?? 1 }
        if found.isEmpty {
            do {
                if let model, learns { try adoptNetwork(of: model, asked: keys["network"] != nil) }
                try checkTogether(keys)
            } catch let fault as PipelineFault {
                found.append(fault)
            }
        }
        faults = found.sorted { ($0.line ?? 0) < ($1.line ?? 0) }
    }

    private mutating func allowExternalLinks() {
        func allow(_ source: inout SourceLocation) { source.selection.allowsExternalLinks = true }
        func allow(_ source: inout SourceLocation?) { source?.selection.allowsExternalLinks = true }
        for index in train.indices {
            for channel in train[index].images.indices { allow(&train[index].images[channel]) }
            allow(&train[index].labels)
            allow(&train[index].mask)
        }
        for index in segment.indices {
            segment[index].changeSources { allow(&$0) }
        }
    }

    /// Faults that no key has alone.
    private func checkTogether(_ keys: [String: YAMLValue]) throws {
        try checkInputs()
        try checkLabelling()
        try checkUse()
        if learns && ensemble.calibration == 0 && consensus.threshold == nil {
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
        if let size = resolution ?? voxelSize?.size {
            try checkPatch(against: network(voxelSize: size))
        } else if network.configuration.strides != nil || !settings.contains(.strides) {
            try checkPatch(against: network.configuration)
        }
    }

    /// What `label` asks for must be what the networks are to learn.
    private func checkLabelling() throws {
        func refuse(_ key: String, _ problem: String) throws {
            throw PipelineFault(file: path, line: lines[key], problem: "\(key) \(problem)")
        }
        if case .classes = target.heads[0], label.regrow != nil {
            try refuse("label.regrow", "grows objects of one channel, but the target is classes")
        }
        if let votes = label.regrow?.votes, votes > ensemble.members {
            let members = ensemble.members == 1 ? "is one member" : "are \(ensemble.members) members"
            try refuse("label.regrow", "asks for \(votes) votes, but there \(members)")
        }
        if label.isCalibrated, !learns || consensus.threshold != nil {
            try refuse(
                "label.merge.above",
                "can be auto only where training chooses the threshold, too: give both a value, or neither")
        }
        if label.merge != nil {
            if label.regrow == nil {
                try refuse("label.merge", "joins regions that have grown; give label.regrow too")
            }
            if !target.names.contains("affinities") {
                try refuse(
                    "label.merge",
                    "needs the affinities of neighbours; write target: [\(target.names[0]), affinities]")
            }
        }
    }

    /// Objects are made of the affinities of nearest neighbours, and regions are merged by them.
    func checkNeighbours(_ voxelSize: VoxelSize) throws {
        let dimensions = network.configuration.dimensions
        let heads = target.channels(voxelSize: voxelSize, dimensions: dimensions)
        let first = label.connectivity.isWithinSections ? 1 : 3 - dimensions
        func lacks(_ channels: [OutputChannel]) -> Bool {
            !(first..<3).allSatisfy { axis in channels.contains { $0.neighbourAxis == axis } }
        }
        func refuse(_ key: String, _ problem: String) -> PipelineFault {
            PipelineFault(
                file: path, line: lines[key],
                problem:
                    "\(key) \(problem) the affinities of nearest neighbours along each axis; add the distance 1 to "
                    + "those of target")
        }
        if label.merge != nil, lacks(heads.flatMap { $0 }) { throw refuse("label.merge", "joins regions by") }
        if heads[0].contains(where: \.isAffinity), lacks(heads[0]) { throw refuse("target", "makes objects of") }
    }

    /// Settings of something that the file does not have: whoever gives them expects more than happens.
    private func checkUse() throws {
        func refuse(_ key: String, _ problem: String) -> PipelineFault {
            PipelineFault(file: path, line: lines[key], problem: "\(key) \(problem)")
        }
        let names = target.names
        if lines["training.border"] != nil, training.border != .none, !names.contains("foreground") {
            throw refuse("training.border", "weighs the foreground, which target does not have")
        }
        if training.isBalanced, !names.contains("affinities"), !names.contains("boundary") {
            throw refuse("training.balance_affinities", "needs a target of affinities or boundary")
        }
        if lines["training.momentum"] != nil, training.optimizer == .adamW {
            throw refuse("training.momentum", "is of the optimizer sgd")
        }
        if lines["label.connectivity"] != nil, names[0] == "affinities",
            label.connectivity != .faces, label.connectivity != .sides
        {
            throw refuse(
                "label.connectivity", "must be 6 or 4 where objects are made of affinities, which join faces")
        }
    }

    /// A network has one number of inputs.
    private func checkInputs() throws {
        func said(_ inputs: (title: String, count: Int, line: Int?)) -> String {
            "\(inputs.title) has \(inputs.count) input\(inputs.count == 1 ? "" : "s")"
        }
        var all = model.map { [($0.title, $0.description.network.inputChannels, lines["model"])] } ?? []
        all += train.map { ($0.image.title, $0.images.count, $0.line) }
        all += segment.map { ($0.image.title, $0.images.count, $0.line) }
        guard let first = all.first, let other = all.first(where: { $0.1 != first.1 }) else { return }
        throw PipelineFault(
            file: path, line: other.2,
            problem: "\(said(other)), but \(said(first)); all volumes must have the same channels")
    }

    /// - Throws: `FileFault` where a 3D network is to learn from a single section; see ``checkPatch(against:)``.
    func check(_ network: NetworkConfiguration, against shape: ZYX<Int>, of title: String) throws {
        if network.dimensions == 3, shape.z == 1 {
            throw FileFault(title, "is a single section; write dimensions: 2 below network: to learn from images")
        }
        try checkPatch(against: network)
    }

    /// - Throws: `PipelineFault` where the network cannot be applied to the training patch, or trained as `training` says.
    func checkPatch(against network: NetworkConfiguration) throws {
        let graph = try network.graph()
        do {
            try training.validate(for: graph, channels: [network.inputChannels], outputs: network.outputChannels)
        } catch let error as TrainingConfigurationError {
            throw PipelineFault(
                file: path, line: lines["training.\(error.field)"] ?? lines["network"], problem: "\(error)")
        }
        let extents = Array(training.patch.array.suffix(network.dimensions))
        let samples = training.batch * (network.dimensions == 2 ? training.patch.z : 1)
        if let single = try graph.normalizationOfOneValue(for: extents, samples: samples) {
            throw PipelineFault(
                file: path, line: lines["training.patch"] ?? lines["network"],
                problem: "training.patch, \(training.patch), leaves a single value for \(single) to normalize "
                    + "over; take a larger patch or fewer levels")
        }
        try checkPrediction(with: graph)
    }

    /// - Throws: `PipelineFault` where the network cannot predict as `predict` says.
    func checkPrediction(with graph: Graph) throws {
        let averaging = PredictionAveraging(
            neighbourAxes: [], mirrors: prediction.mirror, turns: prediction.rotate, overlap: prediction.overlap)
        if let problem = try averaging.problem(with: graph) {
            throw PipelineFault(file: path, line: lines["predict"], problem: "predict: \(problem)")
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
        guard isMapping else { throw misfit("a length for each axis, such as {z: 40 nm, y: 8 nm, x: 8 nm}") }
        let keys = try mapping(of: ["z", "y", "x", "replace"])
        return VoxelSizeSetting(size: try sides(keys), replaces: try keys["replace"]?.boolean() ?? false)
    }

    /// `auto` (nil), or `{z: 16 nm, y: 16 nm, x: 16 nm}`.
    fileprivate func resolution() throws -> VoxelSize? {
        if !isMapping, try text() == "auto" { return nil }
        return try sides(mapping(of: ["z", "y", "x"]))
    }

    private func sides(_ keys: [String: YAMLValue]) throws -> VoxelSize {
        let given = try ["z", "y", "x"].map { try keys[$0]?.length() }
        func side(_ axis: Int) throws -> Length {
            if let side = given[axis] { return side }
            throw fault("\(name) lacks \(["z", "y", "x"][axis]); expected for example {z: 40 nm, y: 8 nm, x: 8 nm}")
        }
        return VoxelSize(try ZYX(side(0), side(1), side(2)))
    }

    func length() throws -> Length {
        guard case .scalar(let scalar) = node, let length = Length(scalar.string) else {
            throw misfit("a length above 0 with its unit such as '40 nm' (units: nm, µm or um, mm, Å)")
        }
        return length
    }

    fileprivate func ensemble(_ defaults: EnsembleSettings) throws -> EnsembleSettings {
        let keys = try mapping(of: ["members", "calibration", "across"])
        var ensemble = defaults
        if let value = keys["members"] { ensemble.members = try value.integer(atLeast: 1) }
        if let value = keys["calibration"] { ensemble.calibration = try value.number(in: 0...0.5) }
        if let value = keys["across"] {
            guard let axis = try ["z", "y", "x"].firstIndex(of: value.text()) else {
                throw value.misfit("z, y or x")
            }
            ensemble.across = axis
        }
        guard ensemble.members <= 255 else { throw fault("ensemble.members must be at most 255") }
        return ensemble
    }

    fileprivate func consensus(_ defaults: ConsensusSettings, members: Int) throws -> ConsensusSettings {
        let keys = try mapping(of: ["agree", "threshold"])
        var consensus = defaults
        if let value = keys["agree"] {
            guard let rule = AgreementRule(try value.text()) else {
                throw value.misfit("all, majority, mean or a number of members")
            }
            if case .atLeast(let count) = rule, !(1...members).contains(count) {
                throw value.fault("consensus.agree must be from 1 to the \(members) members, found \(count)")
            }
            consensus.agree = rule
        }
        if let value = keys["threshold"] { consensus.threshold = try value.thresholdOrAuto() }
        return consensus
    }

    /// `auto` (nil), a probability, or `{logit: 4.0}`.
    fileprivate func thresholdOrAuto() throws -> Threshold? {
        node.string == "auto" ? nil : try threshold(like: "auto, 0.98 or {logit: 4.0}")
    }

    /// - Parameter examples: what is expected, for the fault.
    func threshold(like examples: String) throws -> Threshold {
        if isMapping {
            guard let logit = try mapping(of: ["logit"])["logit"] else { throw misfit(examples) }
            return Threshold(logit: try logit.number(in: -31...31))
        }
        guard let threshold = Threshold(probability: try number(in: 0...1)) else {
            throw misfit("above 0 and below 1, such as \(examples)")
        }
        return threshold
    }

    fileprivate func export() throws -> ExportSettings {
        let keys = try mapping(of: ["formats"])
        guard let formats = keys["formats"] else { return ExportSettings() }
        let chosen = try formats.elements().map { try $0.choice(ExportSettings.Format.self) }
        guard !chosen.isEmpty, Set(chosen).count == chosen.count else {
            throw formats.misfit("tiff, hdf5 and ome-zarr, each at most once")
        }
        return ExportSettings(formats: chosen)
    }

    fileprivate func prediction(_ defaults: PredictionSettings) throws -> PredictionSettings {
        let keys = try mapping(of: ["mirror", "rotate", "overlap"])
        var prediction = defaults
        if let value = keys["mirror"] { prediction.mirror = try value.boolean() }
        if let value = keys["rotate"] { prediction.rotate = try value.boolean() }
        if let value = keys["overlap"] {
            prediction.overlap = try value.isNone ? nil : value.number(in: PredictionSettings.overlaps)
        }
        return prediction
    }

    fileprivate func evaluation() throws -> EvaluationSettings {
        let keys = try mapping(of: ["thresholds"])
        return EvaluationSettings(thresholds: try keys["thresholds"]?.boolean() ?? false)
    }

    fileprivate func execution(_ defaults: ExecutionSettings) throws -> ExecutionSettings {
        let keys = try mapping(of: [
            "device", "precision", "threads", "members_at_once", "memory", "external_links",
        ])
        var execution = defaults
        if let value = keys["device"] { execution.device = try value.choice(Device.Choice.self) }
        if let value = keys["precision"] {
            execution.precision = try value.choice(ExecutionSettings.Arithmetic.self)
        }
        if let value = keys["threads"] { execution.threads = try value.integer(atLeast: 1) }
        if let value = keys["members_at_once"], try value.text() != "auto" {
            execution.membersAtOnce = try value.integer(atLeast: 1)
        }
        if let value = keys["memory"], try value.text() != "auto" { execution.memory = try value.bytes() }
        if let value = keys["external_links"] { execution.externalLinks = try value.boolean() }
        return execution
    }

    /// `8 GiB`, `500 MB`, `4G`.
    private func bytes() throws -> Int {
        guard let bytes = Bytes.parse(try text()) else { throw misfit("auto or a size such as '8 GiB'") }
        return bytes
    }
}
