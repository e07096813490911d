/// The U-Net (Ronneberger et al. 2015; Çiçek et al. 2016 in 3D), of any block.
///
///     0  ── stage ──────────────── skip ──────────────▶ join ── stage ── head ──▶
///             └─ down ─▶ 1  stage ──── skip ────▶ join ── stage ─┘ up
///                          └─ down ─▶ 2  stage ──────────┘ up
struct UNet {
    let configuration: NetworkConfiguration
    /// All but the last block of an encoder stage are half as wide as it, and upsampling keeps channels and has no
    /// bias (Çiçek et al. 2016).
    var widensLate = false
    /// Blocks of the way up; nil for those of the way down.
    var decoderBlock: BlockKind?
    private var c: NetworkConfiguration { configuration }

    /// Logits of full resolution and, with deep supervision, of every coarser level but the last.
    func callAsFunction(_ input: Signal) throws -> [Signal] {
        try c.validateBlocks()
        return decode(encode(input))
    }

    /// The result of every level on the way down, from fine to coarse.
    func encode(_ input: Signal) -> [Signal] {
        var signal = input.stem(c.block, c.features(at: 0), kernel: Extents(c.kernel(at: 0)), c, "stem")
        return (0..<c.levels).map { level in
            let stride = level > 0 ? Extents(c.stride(at: level - 1)) : 1
            let pools = c.downsampling == .maxPooling
            if level > 0, pools { signal = signal.maxPooled(stride) }
            signal = signal.stage(
                c.block, encoderChannels(at: level), kernel: Extents(c.kernel(at: level)),
                stride: pools ? 1 : stride,
                c, "encoder.\(level)")
            return signal
        }
    }

    private func encoderChannels(at level: Int) -> [Int] {
        let (count, features) = (c.blocks(at: level), c.features(at: level))
        return Array(repeating: widensLate ? max(1, features / 2) : features, count: count - 1) + [features]
    }

    /// The way up from the last of `skips`, joining the others.
    func decode(_ skips: [Signal]) -> [Signal] {
        let block = decoderBlock ?? c.block
        var signal = skips[skips.count - 1]
        var heads: [Signal] = []
        for level in (0..<skips.count - 1).reversed() {
            let (features, kernel) = (c.features(at: level), c.kernel(at: level))
            signal = signal.upsampled(
                c.upsampling, widensLate ? signal.channels : features, stride: c.stride(at: level), kernel: kernel,
                bias: !widensLate, "upsampling.\(level)")
            signal = Signal.concatenated([skips[level].cropped(to: signal), signal])
            signal = signal.stage(
                block, Array(repeating: features, count: c.decoderBlocks(at: level)), kernel: Extents(kernel), c,
                "decoder.\(level)")
            if c.deepSupervision, level > 0 { heads.append(signal.head(block, c, "heads.\(level)")) }
        }
        return [signal.head(block, c, "head")] + heads.reversed()
    }
}

extension UNet {
    /// What every U-Net reads.
    static let settings = NetworkSetting.ofLayers.union([
        .levels, .maximumFeatures, .blocks, .decoderBlocks, .kernels, .strides, .padding, .downsampling,
        .upsampling, .biases, .deepSupervision,
    ])

    static let architectures = [
        Architecture(
            name: "unet", summary: "plain convolutions, skips by concatenation", source: "Ronneberger et al. 2015",
            purpose: .segmentation,
            settings: settings.union(NetworkSetting.ofAnyBlock),
            usualExtent: usualExtent,
            adjust: { _ in },
            describe: { configuration, input in try UNet(configuration: configuration)(input) }),
        Architecture(
            name: "unet-2015", summary: "the first U-Net: valid convolutions, no normalization",
            source: "Ronneberger et al. 2015",
            purpose: .segmentation,
            settings: settings.union(NetworkSetting.ofAnyBlock),
            // The published 572², and the smallest there is of a volume.
            usualExtent: { $0 == 2 ? [572, 572] : [188, 188, 188] },
            adjust: { c in
                (c.levels, c.features) = (5, 64)
                (c.padding, c.normalization) = (.valid, .none)
            },
            describe: { configuration, input in try UNet(configuration: configuration)(input) }),
        Architecture(
            name: "unet-2016", summary: "the 3D U-Net: valid convolutions, channels doubled before pooling",
            source: "Çiçek et al. 2016",
            purpose: .segmentation,
            settings: settings.union(NetworkSetting.ofAnyBlock),
            usualExtent: { $0 == 2 ? [132, 132] : [116, 132, 132] },
            adjust: { c in
                (c.features, c.padding, c.biases) = (64, .valid, true)
            },
            describe: { configuration, input in
                try UNet(configuration: configuration, widensLate: true)(input)
            }),
        Architecture(
            name: "residual-unet", summary: "residual blocks, normalization first",
            source: "He et al. 2016; Zhang et al. 2018",
            purpose: .segmentation,
            settings: settings.union(NetworkSetting.ofResiduals),
            usualExtent: usualExtent,
            adjust: { c in (c.block, c.blocks) = (.residual, [1]) },
            describe: { configuration, input in try UNet(configuration: configuration)(input) }),
        Architecture(
            name: "bottleneck-unet", summary: "residual blocks of convolutions of 1, 3 and 1",
            source: "He et al. 2016, as a U-Net",
            purpose: .segmentation,
            settings: settings.union(NetworkSetting.ofResiduals),
            usualExtent: usualExtent,
            // Two convolutions of 3 a level, as in the U-Net, each as wide as its.
            adjust: { c in (c.block, c.features) = (.bottleneck, 64) },
            describe: { configuration, input in try UNet(configuration: configuration)(input) }),
        Architecture(
            name: "dense-unet", summary: "dense blocks, compressed at every level",
            source: "Huang et al. 2017, as a U-Net",
            purpose: .segmentation,
            settings: settings.union([.growth]),
            usualExtent: usualExtent,
            adjust: { c in (c.block, c.blocks) = (.dense, [4]) },
            describe: { configuration, input in try UNet(configuration: configuration)(input) }),
    ]

    private static let usualExtent: @Sendable (Int) -> [Int] = { Array(repeating: $0 == 2 ? 256 : 64, count: $0) }
}
