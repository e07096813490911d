/// The layouts of nnU-Net (Isensee et al. 2021, 2024), after the package dynamic-network-architectures.
///
/// `nnunet` is its PlainConvUNet: convolution, instance norm and leaky ReLU, twice a stage, convolutions with biases,
/// the first of a stage with its stride; transposed convolutions upwards.
///
/// `nnunet-resenc` is its ResidualEncoderUNet: a stem of one convolution, norm and activation at full resolution;
/// BasicBlockD blocks (conv–norm–ReLU–conv–norm, the sum, ReLU), whose shortcuts pool averages where the block has a
/// stride and project where channels change, without a bias; one plain convolution a stage on the way up.
///
/// Both end every stage of the decoder in logits. nnU-Net concatenates a skip behind the upsampled channels, here it
/// stands before them; weights differ by that order alone.
enum NNUNet {
    private static let settings = UNet.settings.subtracting([.padding])

    static let architectures = [
        Architecture(
            name: "nnunet", summary: "nnU-Net's plain layout, deeply supervised", source: "Isensee et al. 2021",
            purpose: .segmentation,
            settings: settings.union(NetworkSetting.ofAnyBlock),
            usualExtent: usualExtent,
            adjust: adjust,
            describe: { configuration, input in try UNet(configuration: configuration)(input) }),
        Architecture(
            name: "nnunet-resenc", summary: "nnU-Net's layout with a residual encoder, deeply supervised",
            source: "Isensee et al. 2024",
            purpose: .segmentation,
            settings: settings.union([.residualScale, .zeroLastNorm]),
            usualExtent: usualExtent,
            adjust: { c in
                adjust(&c)
                (c.block, c.order, c.shortcut) = (.residual, .original, .averagePooling)
                (c.blocks, c.decoderBlocks) = ([1, 3, 4, 6, 6, 6], [1])
            },
            describe: { configuration, input in
                try UNet(configuration: configuration, decoderBlock: .plain)(input)
            }),
    ]

    /// For patches of 128³ and 512², which these strides bring to 4 along every axis.
    private static let usualExtent: @Sendable (Int) -> [Int] = { Array(repeating: $0 == 2 ? 512 : 128, count: $0) }

    private static let adjust: @Sendable (inout NetworkConfiguration) -> Void = { c in
        (c.levels, c.maximumFeatures) = c.dimensions == 2 ? (8, 512) : (6, 320)
        (c.features, c.normalization, c.activation, c.biases) = (32, .instance, .leakyReLU, true)
        (c.downsampling, c.deepSupervision) = (.convolution, true)
    }
}
