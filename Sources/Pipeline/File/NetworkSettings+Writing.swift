import Networks

/// A setting of a network as a pipeline file says it.
public struct SettingDescription: Codable, Equatable, Sendable {
    public var key: String
    /// In YAML; nil where it is not set and follows from something else.
    public var value: String?
    /// What else may stand there, or what it follows from; empty for numbers.
    public var note: String

    init(_ key: String, _ value: String?, _ note: String = "") {
        self.key = key
        self.value = value
        self.note = note
    }

    init<Choice: RawRepresentable & CaseIterable>(_ key: String, choice: Choice) where Choice.RawValue == String {
        self.init(key, choice.rawValue, Choice.allCases.map(\.rawValue).joined(separator: ", "))
    }
}

extension NetworkSettings {
    /// Everything that may be set of this network, with what it is.
    public func described() throws -> [SettingDescription] {
        let architecture = try Architecture.named(configuration.architecture)
        let own = NetworkSetting.allCases.filter(architecture.settings.contains).map(describe)
        return [SettingDescription("dimensions", "\(configuration.dimensions)", "2, 3")]
            + own.sorted { $0.key < $1.key } + (configuration.normalization.hasStoredStatistics ? statistics : [])
    }

    private var statistics: [SettingDescription] {
        [SettingDescription("statistics", "population", "population, {population: PATCHES}, running")]
    }

    private func describe(_ setting: NetworkSetting) -> SettingDescription {
        if let kind = idleKind(setting) { return SettingDescription(setting.rawValue, nil, "of \(kind) blocks") }
        let (c, key) = (configuration, setting.rawValue)
        switch setting {
        case .levels: return SettingDescription(key, "\(c.levels)")
        case .features: return SettingDescription(key, "\(c.features)")
        case .maximumFeatures: return SettingDescription(key, c.maximumFeatures.map { "\($0)" }, "no limit")
        case .blocks: return SettingDescription(key, counts(c.blocks), "a number, or a list of one a level")
        case .decoderBlocks:
            return SettingDescription(
                key, c.decoderBlocks.map(counts), "a number, or a list of one a level; as on the way down")
        case .kernels: return SettingDescription(key, c.kernels.map { "\($0)" }, "from the voxel size")
        case .strides: return SettingDescription(key, c.strides.map { "\($0)" }, "from the voxel size")
        case .stacks: return SettingDescription(key, "\(c.stacks)")
        case .growth: return SettingDescription(key, "\(c.growth)")
        case .encoder: return SettingDescription(key, c.encoder, "another classifier of its kind")
        case .block: return SettingDescription(key, choice: c.block)
        case .order: return SettingDescription(key, choice: c.order)
        case .shortcut: return SettingDescription(key, choice: c.shortcut)
        case .residualScale:
            let isHalved = c.residualScale == 0.5.squareRoot()
            return SettingDescription(
                key, isHalved ? "1/sqrt2" : "\(c.residualScale)", "above 0, at most 1; 1/sqrt2")
        case .zeroLastNorm: return SettingDescription(key, "\(c.zeroLastNorm)", "true, false")
        case .normalization:
            return SettingDescription(
                key, c.normalization.yaml, "batch, {ghost: SAMPLES}, layer, {group: GROUPS}, instance, none")
        case .activation: return SettingDescription(key, choice: c.activation)
        case .initialization: return SettingDescription(key, choice: c.initialization)
        case .padding: return SettingDescription(key, choice: c.padding)
        case .biases:
            return SettingDescription(key, c.biases.map { "\($0)" }, "true, false; where no normalization follows")
        case .downsampling: return SettingDescription(key, choice: c.downsampling)
        case .upsampling: return SettingDescription(key, choice: c.upsampling)
        case .deepSupervision: return SettingDescription(key, "\(c.deepSupervision)", "true, false")
        }
    }

    private func counts(_ list: [Int]) -> String { list.count == 1 ? "\(list[0])" : "\(list)" }
}

extension Normalization {
    fileprivate var yaml: String {
        switch self {
        case .ghost(let number), .group(let number): "{\(name): \(number)}"
        default: name
        }
    }
}
