/// The hourglass and its stack (Newell et al. 2016), of any block.
///
///     0  ─┬─ stage ─────────────────────────────────────────────── + ──▶
///         └─ pool ── stage ─┬─ stage ───────────────── + ── stage ─┘ up
///                           └─ pool ── stage ── … ── up ┘
///
/// All levels have the same channels, and convolutions lie in the skips, which are added. The paper's networks start
/// with a 7-convolution of stride 2 and pooling, and predict at a quarter of the resolution; these keep the input's.
struct Hourglass {
    let configuration: NetworkConfiguration
    private var c: NetworkConfiguration { configuration }

    /// Logits of the last stack; then those of the stacks before it, the latest first; then, with deep supervision,
    /// those of coarser levels, from fine to coarse.
    func callAsFunction(_ input: Signal) throws -> [Signal] {
        try c.validateBlocks()
        let stem = input.plainBlock(c.features, kernel: Extents(c.kernel(at: 0)), bias: c.biases, "stem")
        var signal = stage(stem, 0, "stem.blocks")
        var outputs: [Signal] = []
        var coarse: [(level: Int, logits: Signal)] = []
        for stack in 0..<c.stacks {
            let name = "stacks.\(stack)"
            var heads: [(level: Int, logits: Signal)] = []
            let result = stage(hourglass(signal, 0, &heads, name), 0, "\(name).result")
            let features = result.plainBlock(c.features, kernel: 1, bias: c.biases, "\(name).features")
            let logits = features.convolution(c.outputChannels, kernel: 1, bias: true, "\(name).head")
            outputs.insert(logits, at: 0)
            coarse.insert(contentsOf: heads, at: 0)
            if stack == c.stacks - 1 { break }
            signal =
                signal + features.convolution(c.features, kernel: 1, bias: true, "\(name).feedback.features")
                + logits.convolution(c.features, kernel: 1, bias: true, "\(name).feedback.logits")
        }
        let levels = Set(coarse.map(\.level)).sorted()
        return outputs + levels.flatMap { level in coarse.filter { $0.level == level }.map(\.logits) }
    }

    /// A level and all that are coarser: the sum of its skip and what comes back from below.
    private func hourglass(
        _ input: Signal, _ level: Int, _ heads: inout [(level: Int, logits: Signal)], _ name: String
    ) -> Signal {
        guard level < c.levels - 1 else { return stage(input, level, "\(name).bottom") }
        let (below, stride) = (level + 1, Extents(c.stride(at: level)))
        let skip = stage(input, level, "\(name).skip.\(level)")
        let lowered = stage(input.maxPooled(stride), below, "\(name).down.\(below)")
        let result = stage(hourglass(lowered, below, &heads, name), below, "\(name).up.\(below)")
        if c.deepSupervision, below < c.levels - 1 {
            heads.append((below, result.head(c.block, c, "\(name).heads.\(below)")))
        }
        return skip + result.upsampled(stride)
    }

    private func stage(_ input: Signal, _ level: Int, _ name: String) -> Signal {
        input.stage(
            c.block, Array(repeating: c.features, count: c.blocks(at: level)), kernel: Extents(c.kernel(at: level)),
            c, name)
    }
}

extension Hourglass {
    /// Blocks keep channels and extents, so that shortcuts never have to change either.
    private static let settings = NetworkSetting.ofLayers.union([
        .levels, .blocks, .kernels, .strides, .block, .order, .residualScale, .zeroLastNorm, .growth, .biases,
        .deepSupervision,
    ])

    static let architectures = [
        Architecture(
            name: "hourglass", summary: "convolutions in the skips, which are added", source: "Newell et al. 2016",
            purpose: .segmentation,
            settings: settings,
            usualExtent: usualExtent,
            adjust: {
                adjust(&$0)
                $0.stacks = 1
            },
            describe: { configuration, input in try Hourglass(configuration: configuration)(input) }),
        Architecture(
            name: "stacked-hourglass", summary: "hourglasses in a row, each supervised",
            source: "Newell et al. 2016",
            purpose: .segmentation,
            settings: settings.union([.stacks]),
            usualExtent: usualExtent,
            adjust: adjust,
            describe: { configuration, input in try Hourglass(configuration: configuration)(input) }),
    ]

    private static let usualExtent: @Sendable (Int) -> [Int] = { Array(repeating: $0 == 2 ? 256 : 64, count: $0) }

    private static let adjust: @Sendable (inout NetworkConfiguration) -> Void = { c in
        (c.features, c.block, c.blocks) = (32, .residual, [1])
    }
}
