/// The residual network for classification (He et al. 2015), in the layout and with the names of torchvision, or with
/// pre-activation (He et al. 2016).
///
///     conv1 7 / 2 ─ max pooling 3 / 2 ─ layer1 ─ layer2 / 2 ─ layer3 / 2 ─ layer4 / 2 ─ mean ─ fc
///
/// `features` are the channels of the first convolution; a stage's 3-convolutions are twice as wide as those of the
/// stage before.
struct ResNet {
    let configuration: NetworkConfiguration
    /// False for the plain twin: the same layers without shortcuts.
    var hasShortcuts = true
    private var c: NetworkConfiguration { configuration }

    func callAsFunction(_ input: Signal) throws -> [Signal] { try classes(levels(input)) }

    /// The results of the first convolution and of every stage, each at half the resolution of the one before.
    func levels(_ input: Signal) throws -> [Signal] {
        let first = begun(input.convolution(c.features, kernel: 7, stride: 2, "conv1"))
        return try [first] + stages(first.maxPooled(3, stride: 2, padding: 1))
    }

    /// The first convolution's result as the first block reads it.
    func begun(_ stem: Signal) -> Signal {
        c.order == .preactivation ? stem : stem.normalized("bn1").activated()
    }

    /// The result of every stage, the last activated.
    func stages(_ input: Signal) throws -> [Signal] {
        var block = try c.resNetBlock()
        block.hasShortcut = hasShortcuts
        var signal = input
        return c.blocks.enumerated().map { stage, count in
            for index in 0..<count {
                signal = block(
                    signal, width: c.features(at: stage), stride: stage > 0 && index == 0 ? 2 : 1,
                    "layer\(stage + 1).\(index)")
            }
            let isUnfinished = c.order == .preactivation && stage == c.blocks.count - 1
            return isUnfinished ? signal.normalized("norm").activated() : signal
        }
    }

    /// Logits from the result of the last stage.
    func classes(_ stages: [Signal]) -> [Signal] {
        [stages[stages.count - 1].averaged().linear(c.outputChannels, "fc")]
    }
}

extension NetworkConfiguration {
    /// The block of a residual network for classification with these settings.
    ///
    /// - Throws: ``NetworkConfigurationError`` for settings that it does not have.
    func resNetBlock() throws -> ResNetBlock {
        guard order == .original || order == .preactivation else {
            throw NetworkConfigurationError(
                field: "order", found: order.rawValue, expected: "conv-norm-relu or norm-relu-conv")
        }
        guard shortcut != .averagePooling else {
            throw NetworkConfigurationError(
                field: "shortcut", found: shortcut.rawValue, expected: "projection or identity")
        }
        try requireNormToZero()
        // Their last normalization is followed by a ReLU, which no gradient would ever pass at γ = 0.
        if order == .preactivation, zeroLastNorm {
            throw NetworkConfigurationError(
                field: "zero_last_norm", found: "true", expected: "false where branches end in a convolution")
        }
        return ResNetBlock(isBottleneck: block == .bottleneck, order: order, shortcut: shortcut)
    }
}

extension ResNet {
    private static func architecture(_ layers: Int, _ blocks: [Int], isBottleneck: Bool) -> Architecture {
        Architecture(
            name: "resnet-\(layers)",
            summary: "\(blocks.reduce(0, +)) \(isBottleneck ? "bottleneck" : "residual") blocks in four stages",
            source: "He et al. 2015", purpose: .classification,
            settings: NetworkSetting.ofLayers.union(NetworkSetting.ofResiduals),
            usualExtent: { Array(repeating: $0 == 2 ? 224 : 112, count: $0) },
            adjust: {
                $0.setImageNet()
                $0.features = 64
                $0.blocks = blocks
                $0.block = isBottleneck ? .bottleneck : .residual
                $0.order = .original
                $0.initialization = .heFanOut
            },
            describe: { configuration, input in try ResNet(configuration: configuration)(input) })
    }

    static let architectures = [
        architecture(18, [2, 2, 2, 2], isBottleneck: false),
        architecture(34, [3, 4, 6, 3], isBottleneck: false),
        architecture(50, [3, 4, 6, 3], isBottleneck: true),
        architecture(101, [3, 4, 23, 3], isBottleneck: true),
        architecture(152, [3, 8, 36, 3], isBottleneck: true),
        architecture(200, [3, 24, 36, 3], isBottleneck: true),
    ]
}

extension NetworkConfiguration {
    /// The channels and classes that published classifiers have.
    mutating func setImageNet() {
        inputChannels = 3
        outputChannels = 1_000
    }
}
