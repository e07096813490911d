import Networks
import Tensors
import Testing

struct ArchitectureHaloTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let name: String
        let configuration: NetworkConfiguration
        var testDescription: String { name }

        /// Two levels of one feature in 2D without normalization over the tile.
        init(
            _ architecture: String, _ variant: String = "",
            _ adjust: (inout NetworkConfiguration) -> Void = { _ in }
        ) {
            name = "\(architecture) \(variant)"
            configuration = try! SmallNetworks.configuration(architecture, dimensions: 2) {
                ($0.levels, $0.features, $0.growth, $0.normalization) = (2, 1, 1, .batch)
                adjust(&$0)
            }
        }
    }

    static let sameCases: [Case] =
        SmallNetworks.names.map { Case($0) } + [
            Case("unet", "of 3 levels, anisotropic") {
                ($0.levels, $0.blocks) = (3, [1, 2])
                ($0.kernels, $0.strides) = ([[1, 3], [3, 3], [3, 5]], [[1, 2], [2, 3]])
            },
            Case("unet", "strided, interpolated") {
                ($0.levels, $0.blocks, $0.downsampling, $0.upsampling) = (3, [1], .convolution, .interpolation)
            },
            Case("residual-unet", "strided, of 3 levels") { ($0.levels, $0.downsampling) = (3, .convolution) },
            Case("residual-unet", "strided identity") {
                ($0.shortcut, $0.downsampling, $0.order) = (.identity, .convolution, .linearActivation)
                $0.strides = [[2, 3]]
            },
            Case("residual-unet", "strided average") {
                ($0.shortcut, $0.downsampling, $0.order) = (.averagePooling, .convolution, .original)
            },
            Case("bottleneck-unet", "strided") { $0.downsampling = .convolution },
            Case("dense-unet", "strided") { ($0.downsampling, $0.blocks) = (.convolution, [2]) },
            Case("nnunet", "of 3 levels") { ($0.levels, $0.strides) = (3, [[1, 2], [2, 2]]) },
            Case("hourglass", "of 3 levels") { ($0.levels, $0.strides) = (3, [[1, 2], [2, 2]]) },
            Case("hourglass", "of plain blocks") { ($0.block, $0.kernels) = (.plain, [[3, 1], [3, 5]]) },
        ]

    static let validCases: [Case] =
        ResidualOrder.allCases.map { order in
            Case("residual-unet", "valid, \(order.rawValue)") {
                ($0.padding, $0.order, $0.shortcut) = (.valid, order, order == .original ? .identity : .projection)
            }
        } + [
            Case("unet", "valid, of 3 levels, anisotropic") {
                ($0.levels, $0.blocks, $0.padding) = (3, [1], .valid)
                ($0.kernels, $0.strides) = ([[1, 3], [3, 3], [3, 3]], [[1, 2], [2, 2]])
            },
            Case("unet", "valid, interpolated") { ($0.padding, $0.upsampling) = (.valid, .interpolation) },
            Case("unet", "valid, strided") { ($0.padding, $0.downsampling) = (.valid, .convolution) },
            Case("bottleneck-unet", "valid") { $0.padding = .valid },
            Case("dense-unet", "valid") { ($0.padding, $0.blocks) = (.valid, [2]) },
            Case("unet-2016", "of 3 levels") { ($0.levels, $0.features) = (3, 2) },
        ]

    /// Weights are positive and all else is 0, so that an input of one voxel reaches whatever it can.
    @Test("One input voxel, at every alignment, reaches as far as the halo", arguments: sameCases + validCases)
    func reach(of test: Case) throws {
        let graph = try test.configuration.graph()
        let network = try Network(graph, seed: 1, elementType: .float64)
        for parameter in network.parameters where parameter.name.hasSuffix("weight") {
            try parameter.tensor.assign(.full(parameter.tensor.shape, 0.5, type: .float64))
        }
        network.mode = .evaluation
        let (halo, margin, stride) = (try graph.halo(), try graph.margin(), graph.totalStride)
        // Wide enough for every output voxel that the middle reaches to be there.
        let extents = zip(try SmallNetworks.extents(graph, atLeast: 1), zip(stride, zip(halo, margin))).map {
            let wanted = 2 * ($1.1.0 + $1.1.1) + 3 * $1.0
            return $0 + max(0, wanted - $0 + $1.0 - 1) / $1.0 * $1.0
        }
        let places = (0..<stride[0]).flatMap { y in (0..<stride[1]).map { x in [y, x] } }.map {
            zip($0, extents).map { $0 + $1 / 2 }
        }
        var values = [Double](repeating: 0, count: places.count * extents[0] * extents[1])
        for (sample, place) in places.enumerated() {
            values[(sample * extents[0] + place[0]) * extents[1] + place[1]] = 1
        }
        let input = try Tensor(values, shape: [places.count, 1] + extents)
        let output = try withoutGradients { try network(input) }
        let (height, width) = (output.shape[2], output.shape[3])
        #expect([height, width] == zip(extents, margin).map { $0 - 2 * $1 })
        var reached = [0, 0]
        for (index, value) in try output.values(of: Double.self).enumerated() where value != 0 {
            let place = places[index / (height * width)]
            let (y, x) = (index / width % height + margin[0], index % width + margin[1])
            reached = [max(reached[0], abs(y - place[0])), max(reached[1], abs(x - place[1]))]
        }
        #expect(reached == halo)
    }

    @Test func sameNetworksHaveNoMargin() throws {
        for test in Self.sameCases where test.configuration.padding == .same {
            #expect(try test.configuration.graph().margin() == [0, 0], "\(test.name)")
        }
    }

    /// (572 − 388) / 2 and the like, of the published extents.
    @Test func validNetworksLoseTheirMargin() throws {
        #expect(try Architecture.named("unet-2015").configuration(dimensions: 2).graph().margin() == [92, 92])
        #expect(try Architecture.named("unet-2016").configuration(dimensions: 3).graph().margin() == [44, 44, 44])
    }
}
