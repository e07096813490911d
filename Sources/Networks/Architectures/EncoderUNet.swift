/// A U-Net whose way down is a classifier, named by the `encoder` setting.
///
///     0     plain block ────────────────── skip ──▶ join ── stage ── head ──▶
///     1 / 2   first convolution ───── skip ──▶ join ── stage ─┘ up
///     2 / 4     first stage ───── skip ──▶ join ── stage ─┘ up
///     …           …
///
/// `features` are the channels at full resolution; 32 gives the classifier its published width, other numbers a width
/// in proportion. The classifier's parameters keep their names, so that its weights load by name.
struct EncoderUNet {
    let configuration: NetworkConfiguration
    private static let featuresOfPublishedWidth = 32

    func resNet(_ input: Signal) throws -> [Signal] {
        var encoder = try encoder(ResNet.architectures)
        encoder.features = 2 * configuration.features
        encoder.order = configuration.order
        encoder.shortcut = configuration.shortcut
        encoder.zeroLastNorm = configuration.zeroLastNorm
        return try decode(input, try ResNet(configuration: encoder).levels(input))
    }

    func denseNet(_ input: Signal) throws -> [Signal] {
        var encoder = try encoder(DenseNet.architectures)
        encoder.growth = max(1, encoder.growth * configuration.features / Self.featuresOfPublishedWidth)
        encoder.features = 2 * encoder.growth
        return try decode(input, DenseNet(configuration: encoder).levels(input))
    }

    /// The published settings of the encoder.
    private func encoder(_ choices: [Architecture]) throws -> NetworkConfiguration {
        guard let found = choices.first(where: { $0.name == configuration.encoder }) else {
            throw NetworkConfigurationError(
                field: "encoder", found: configuration.encoder, oneOf: choices.map(\.name))
        }
        return found.configuration(dimensions: configuration.dimensions)
    }

    private func decode(_ input: Signal, _ levels: [Signal]) throws -> [Signal] {
        let finest = input.plainBlock(configuration.features, kernel: 3, "encoder.0")
        // Classifiers halve all axes alike.
        var decoder = configuration
        decoder.levels = levels.count + 1
        decoder.kernels = nil
        decoder.strides = nil
        try decoder.validateBlocks()
        return UNet(configuration: decoder).decode([finest] + levels)
    }
}

extension EncoderUNet {
    private static let settings = NetworkSetting.ofLayers.union([
        .encoder, .maximumFeatures, .decoderBlocks, .upsampling, .deepSupervision, .block, .growth,
    ])

    static let architectures = [
        Architecture(
            name: "resnet-unet", summary: "U-Net on the way down of a ResNet", source: "He et al. 2015",
            purpose: .segmentation, settings: settings.union(NetworkSetting.ofResiduals),
            usualExtent: { Array(repeating: $0 == 2 ? 256 : 64, count: $0) },
            adjust: {
                $0.features = featuresOfPublishedWidth
                $0.encoder = "resnet-18"
                $0.order = .original
            },
            describe: { configuration, input in try EncoderUNet(configuration: configuration).resNet(input) }),
        Architecture(
            name: "densenet-unet", summary: "U-Net on the way down of a DenseNet", source: "Huang et al. 2017",
            purpose: .segmentation, settings: settings,
            usualExtent: { Array(repeating: $0 == 2 ? 256 : 64, count: $0) },
            adjust: {
                $0.features = featuresOfPublishedWidth
                $0.encoder = "densenet-121"
            },
            describe: { configuration, input in try EncoderUNet(configuration: configuration).denseNet(input) }),
    ]
}
