/// The densely connected network for classification (Huang et al. 2017), in the layout and with the names of
/// torchvision.
///
///     conv0 7 / 2 ─ max pooling 3 / 2 ─ denseblock1 ─ transition1 / 2 ─ … ─ denseblock4 ─ norm5 ─ mean ─ classifier
///
/// `features` are the channels of the first convolution, `growth` what each layer of a block adds; a transition keeps
/// half of them.
struct DenseNet {
    let configuration: NetworkConfiguration
    private var c: NetworkConfiguration { configuration }

    func callAsFunction(_ input: Signal) -> [Signal] {
        let levels = levels(input)
        return [levels[levels.count - 1].averaged().linear(c.outputChannels, "classifier")]
    }

    /// The activated results of the first convolution and of every block, each at half the resolution of the one
    /// before.
    func levels(_ input: Signal) -> [Signal] {
        let stem = input.convolution(c.features, kernel: 7, stride: 2, "features.conv0")
            .normalized("features.norm0").activated()
        var signal = stem.maxPooled(3, stride: 2, padding: 1)
        var levels = [stem]
        for (index, count) in c.blocks.enumerated() {
            for layer in 0..<count {
                signal = signal.denseNetLayer(
                    growth: c.growth, "features.denseblock\(index + 1).denselayer\(layer + 1)")
            }
            let isLast = index == c.blocks.count - 1
            let transition = "features.transition\(index + 1)"
            let activated = signal.normalized(isLast ? "features.norm\(index + 2)" : "\(transition).norm")
                .activated()
            levels.append(activated)
            if isLast { break }
            signal = activated.convolution(max(1, signal.channels / 2), kernel: 1, "\(transition).conv")
                .averagePooled(2)
        }
        return levels
    }
}

extension Signal {
    /// This signal and, behind it, `growth` channels made from it: a 1-convolution to four times as many, then a
    /// 3-convolution, each after normalization and activation (DenseNet-B, Huang et al. 2017).
    public func denseNetLayer(growth: Int, _ name: String) -> Signal {
        let new = normalized("\(name).norm1").activated().convolution(4 * growth, kernel: 1, "\(name).conv1")
            .normalized("\(name).norm2").activated().convolution(growth, kernel: 3, "\(name).conv2")
        return .concatenated([self, new])
    }
}

extension DenseNet {
    private static func architecture(_ layers: Int, growth: Int = 32, _ blocks: [Int]) -> Architecture {
        Architecture(
            name: "densenet-\(layers)",
            summary: "\(blocks.reduce(0, +)) dense layers that each add \(growth) channels",
            source: "Huang et al. 2017", purpose: .classification,
            settings: NetworkSetting.ofLayers.union([.growth]),
            usualExtent: { Array(repeating: $0 == 2 ? 224 : 112, count: $0) },
            adjust: {
                $0.setImageNet()
                $0.features = 2 * growth
                $0.growth = growth
                $0.blocks = blocks
                $0.block = .dense
            },
            describe: { configuration, input in DenseNet(configuration: configuration)(input) })
    }

    static let architectures = [
        architecture(121, [6, 12, 24, 16]),
        architecture(161, growth: 48, [6, 12, 36, 24]),
        architecture(169, [6, 12, 32, 32]),
        architecture(201, [6, 12, 48, 32]),
        architecture(264, [6, 12, 64, 48]),
    ]
}
