import Networks
import Yams

extension NetworkSettings {
    /// A network as the command line gives it: an architecture and settings such as `levels=3`, under the keys and in
    /// the values that a pipeline file has below `network:`.
    ///
    /// - Parameter dimensions: nil for what the settings say, or 3.
    /// - Throws: `PipelineFault` in one line.
    public init(architecture: String, dimensions: Int?, settings: [String]) throws {
        var pairs = [(Node("architecture"), Node(architecture))]
        if let dimensions { pairs.append((Node("dimensions"), Node("\(dimensions)"))) }
        for setting in settings {
            guard let equals = setting.firstIndex(of: "="), equals > setting.startIndex,
                let value = try? Yams.compose(yaml: String(setting[setting.index(after: equals)...]))
            else {
                throw PipelineFault(
                    file: "command line", problem: "--set '\(setting)' is no key=value such as levels=3")
            }
            let key = Node(String(setting[..<equals]))
            if let earlier = pairs.first(where: { $0.0 == key }) {
                throw PipelineFault(
                    file: "command line",
                    problem: "--set '\(setting)': \(key.string ?? "") is already \(earlier.1.string ?? "given")")
            }
            pairs.append((key, value))
        }
        do {
            self = try YAMLValue(node: Node(pairs), name: "network", file: "command line", line: nil).network()
        } catch let fault as PipelineFault {
            throw PipelineFault(file: "command line", problem: fault.problem)
        }
    }
}

extension YAMLValue {
    /// The `network:` part of a pipeline file. Settings that the architecture does not read are refused.
    func network() throws -> NetworkSettings {
        if case .scalar(let scalar) = node, Architecture.all.contains(where: { $0.name == scalar.string }) {
            throw fault("\(name) must be a mapping: {architecture: \(scalar.string)}")
        }
        let name = try value(of: "architecture")?.text() ?? "unet"
        guard let architecture = Architecture.all.first(where: { $0.name == name }) else {
            let names = Architecture.all.map(\.name)
            let hint = nearest(to: name, among: names).map { "; did you mean '\($0)'?" }
            throw value(of: "architecture")!.fault(
                "unknown architecture '\(name)'" + (hint ?? "; known are \(names.joined(separator: ", "))"))
        }
        let known = ["architecture", "dimensions", "statistics"] + architecture.settings.map(\.rawValue).sorted()
        try refuseSettings(of: name, beside: known)
        let keys = try mapping(of: known)
        let dimensions = try keys["dimensions"]?.dimensions() ?? 3
        // Read by training, which it belongs to; here for what is wrong with it.
        _ = try keys["statistics"]?.statistics()
        if let statistics = keys["statistics"], let norm = keys["normalization"],
            try !norm.normalization().hasStoredStatistics
        {
            throw statistics.fault(
                "network.statistics is of batch and ghost batch norm, which predict with stored statistics; "
                    + "\(try norm.normalization()) has none")
        }
        var configuration = architecture.configuration(dimensions: dimensions)
        for setting in NetworkSetting.allCases {
            guard let value = keys[setting.rawValue] else { continue }
            try value.set(setting, of: &configuration)
        }
        try refuseSettings(ofOtherBlocks: configuration, architecture)
        var settings = try NetworkSettings(architecture: name, dimensions: dimensions)
        settings.configuration = configuration
        do {
            _ = try configuration.graph()
        } catch let error as NetworkConfigurationError {
            let hint = nearest(to: error.found, among: error.choices).map { "; did you mean '\($0)'?" } ?? ""
            throw (value(of: error.field) ?? self).fault(error.description + hint)
        }
        return settings
    }

    /// The `network:` part of a pipeline file, which must give an answer for every voxel.
    func segmentationNetwork() throws -> NetworkSettings {
        let settings = try network()
        let name = settings.configuration.architecture
        guard try Architecture.named(name).purpose == .segmentation else {
            let unet = "\(name.prefix { $0 != "-" })-unet"
            let advice =
                (try? NetworkSettings(architecture: unet)).map { _ in
                    "as the way down of a U-Net, write {architecture: \(unet), encoder: \(name)}"
                } ?? "it serves 'segment diagnose'; to segment, write {architecture: residual-unet}"
            throw (value(of: "architecture") ?? self).fault(
                "\(name) is a classifier: it says what a whole image is, not each voxel; \(advice)")
        }
        return settings
    }

    private func dimensions() throws -> Int {
        guard let value = try? integer(atLeast: 2, atMost: 3) else { throw misfit("2 or 3") }
        return value
    }

    /// A setting of other architectures is better named than called unknown.
    private func refuseSettings(of architecture: String, beside known: [String]) throws {
        for setting in NetworkSetting.allCases where !known.contains(setting.rawValue) {
            if let value = value(of: setting.rawValue) {
                throw value.fault(
                    "\(value.name) is no setting of \(architecture); it has \(known.joined(separator: ", "))")
            }
        }
    }

    /// A setting of another kind of block than the network has would do nothing.
    private func refuseSettings(ofOtherBlocks network: NetworkConfiguration, _ architecture: Architecture) throws {
        var settings = try NetworkSettings(architecture: architecture.name, dimensions: network.dimensions)
        settings.configuration = network
        for setting in NetworkSetting.allCases {
            guard let value = value(of: setting.rawValue), let kind = settings.idleKind(setting) else { continue }
            throw value.fault("\(value.name) is of \(kind) blocks, and network.block is \(network.block.rawValue)")
        }
    }

    private func set(_ setting: NetworkSetting, of network: inout NetworkConfiguration) throws {
        switch setting {
        case .levels: network.levels = try integer(atLeast: 1, atMost: 8)
        case .features: network.features = try integer(atLeast: 1, atMost: 1024)
        case .maximumFeatures: network.maximumFeatures = try integer(atLeast: 1, atMost: 4096)
        case .blocks: network.blocks = try counts([network.levels])
        case .decoderBlocks:
            // The coarsest level has no way up, so its number may be left out. A classifier's body has six.
            let levels =
                try Architecture.named(network.architecture).settings.contains(.levels) ? network.levels : 6
            network.decoderBlocks = try counts([levels - 1, levels])
        case .kernels:
            network.kernels = try axisLists(network, count: network.levels, each: "level")
            if network.kernels?.joined().contains(where: { $0 % 2 == 0 }) == true {
                throw fault("network.kernels must be odd, so that a voxel is in their middle")
            }
        case .strides:
            network.strides = try axisLists(network, count: network.levels - 1, each: "step between levels")
        case .stacks: network.stacks = try integer(atLeast: 1, atMost: 16)
        case .growth: network.growth = try integer(atLeast: 1, atMost: 1024)
        case .encoder: network.encoder = try text()
        case .block: network.block = try choice(BlockKind.self)
        case .order: network.order = try choice(ResidualOrder.self)
        case .shortcut: network.shortcut = try choice(Shortcut.self)
        case .residualScale: network.residualScale = try residualScale()
        case .zeroLastNorm: network.zeroLastNorm = try boolean()
        case .normalization: network.normalization = try normalization()
        case .activation: network.activation = try choice(Activation.self)
        case .initialization: network.initialization = try choice(Initialization.self)
        case .padding: network.padding = try choice(ConvolutionPadding.self)
        case .biases: network.biases = try boolean()
        case .downsampling: network.downsampling = try choice(Downsampling.self)
        case .upsampling: network.upsampling = try choice(Upsampling.self)
        case .deepSupervision: network.deepSupervision = try boolean()
        }
    }

    /// A number for all levels, or a list of one each.
    private func counts(_ levels: [Int]) throws -> [Int] {
        let counts = try elements().map { try $0.integer(atLeast: 1, atMost: 64) }
        guard counts.count == 1 || levels.contains(counts.count) else {
            throw fault("\(name) must be a number, or one for each of \(levels[0]) levels, found \(flow)")
        }
        return counts
    }

    private func axisLists(_ network: NetworkConfiguration, count: Int, each: String) throws -> [[Int]] {
        let axes = network.dimensions == 2 ? "[y, x]" : "[z, y, x]"
        let lists = try elements().map { try $0.elements().map { try $0.integer(atLeast: 1, atMost: 16) } }
        guard isList, lists.count == count, lists.allSatisfy({ $0.count == network.dimensions }) else {
            throw fault("\(name) must have one \(axes) a \(each), \(count) in all, found \(flow)")
        }
        return lists
    }

    /// `1/sqrt2`, or a number.
    private func residualScale() throws -> Double {
        if let text = try? text(), ["1/sqrt2", "1/√2", "1/sqrt(2)"].contains(text) { return 0.5.squareRoot() }
        return try number(in: .leastNonzeroMagnitude...1)
    }

    /// A name, `{ghost: SAMPLES}` or `{group: GROUPS}`.
    private func normalization() throws -> Normalization {
        if isMapping {
            let keys = try mapping(of: ["ghost", "group"])
            guard keys.count == 1 else { throw misfit("{ghost: SAMPLES} or {group: GROUPS}") }
            if let samples = keys["ghost"] {
                return .ghost(virtualBatch: try samples.integer(atLeast: 1, atMost: 4096))
            }
            return .group(groups: try keys["group"]!.integer(atLeast: 1, atMost: 4096))
        }
        let names = ["batch", "layer", "instance", "none"]
        guard let name = try? text(), names.contains(name), let found = Normalization(rawValue: name) else {
            throw misfit("\(names.joined(separator: ", ")), {ghost: SAMPLES} or {group: GROUPS}", among: names)
        }
        return found
    }
}
