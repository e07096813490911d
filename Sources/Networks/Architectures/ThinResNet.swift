/// The thin residual network for small images, and its plain twin without shortcuts (He et al. 2015, section 4.2): a
/// 3-convolution, three stages of n blocks of two, and a matrix make 6n + 2 layers.
///
///     conv1 3 ─ layer1 ─ layer2 / 2 ─ layer3 / 2 ─ mean ─ fc
///
/// Shortcuts are identities, so both have the same parameters, named as in ``ResNet``.
struct ThinResNet {
    let configuration: NetworkConfiguration
    let hasShortcuts: Bool

    func callAsFunction(_ input: Signal) throws -> [Signal] {
        let body = ResNet(configuration: configuration, hasShortcuts: hasShortcuts)
        let stem = input.convolution(configuration.features, kernel: 3, "conv1")
        return try body.classes(body.stages(body.begun(stem)))
    }
}

extension ThinResNet {
    private static func architecture(_ layers: Int, hasShortcuts: Bool) -> Architecture {
        Architecture(
            name: "\(hasShortcuts ? "residual" : "plain")-\(layers)",
            summary: hasShortcuts
                ? "\(layers) layers for small images, identity shortcuts" : "residual-\(layers) without shortcuts",
            source: "He et al. 2015", purpose: .classification,
            settings: hasShortcuts
                ? NetworkSetting.ofLayers.union(NetworkSetting.ofResiduals) : NetworkSetting.ofLayers,
            usualExtent: { Array(repeating: 32, count: $0) },
            adjust: {
                $0.inputChannels = 3
                $0.outputChannels = 10
                $0.blocks = Array(repeating: (layers - 2) / 6, count: 3)
                $0.block = .residual
                $0.order = .original
                $0.shortcut = .identity
            },
            describe: { configuration, input in
                try ThinResNet(configuration: configuration, hasShortcuts: hasShortcuts)(input)
            })
    }

    static let architectures = [
        architecture(20, hasShortcuts: false), architecture(56, hasShortcuts: false),
        architecture(20, hasShortcuts: true), architecture(56, hasShortcuts: true),
    ]
}
