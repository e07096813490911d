import Networks
import Tensors
import Testing

struct HaloTests {
    /// 44 by the convolutions and up to 7 by the alignment of an output voxel with the windows of three levels.
    @Test func fourLevelsOfTwoConvolutionsReach51Voxels() throws {
        let configuration = try NetworkConfiguration("unet") {
            $0.levels = 4
            $0.features = 16
        }
        #expect(try configuration.graph().halo() == [51, 51, 51])
        #expect(try configuration.graph().totalStride == [8, 8, 8])
    }

    static let networks: [NetworkConfiguration] = [
        try! NetworkConfiguration("unet", dimensions: 2) {
            $0.levels = 2
            $0.features = 1
            $0.blocks = [1]
        },
        try! NetworkConfiguration("unet", dimensions: 2) {
            $0.levels = 3
            $0.features = 1
            $0.kernels = [[1, 3], [3, 3], [3, 5]]
            $0.strides = [[1, 2], [2, 3]]
        },
        try! NetworkConfiguration("unet", dimensions: 2) {
            $0.levels = 3
            $0.features = 1
            $0.blocks = [1]
            $0.upsampling = .interpolation
        },
        try! NetworkConfiguration("unet") {
            $0.levels = 2
            $0.features = 1
            $0.blocks = [1]
            $0.kernels = [[1, 3, 3], [3, 3, 3]]
            $0.strides = [[1, 2, 2]]
        },
        try! NetworkConfiguration("unet", dimensions: 2) {
            $0.levels = 1
            $0.features = 1
        },
        try! NetworkConfiguration("unet", dimensions: 2) {
            $0.levels = 4
            $0.features = 1
            $0.kernels = Array(repeating: [1, 3], count: 4)
            $0.strides = Array(repeating: [1, 2], count: 3)
        },
    ]

    /// One voxel is raised far above the others in a network of positive weights, so that every path carries it on.
    @Test("One input voxel changes outputs as far as the halo and no further", arguments: networks)
    func reach(configuration: NetworkConfiguration) throws {
        let network = try Network(configuration, seed: 1)
        for parameter in network.parameters where parameter.name.hasSuffix("weight") {
            try parameter.tensor.assign(.full(parameter.tensor.shape, 0.5))
        }
        network.mode = .evaluation
        let (halo, stride) = (try network.graph.halo(), network.graph.totalStride)
        let middle = zip(halo, stride).map { ($0 + $1 - 1) / $1 * $1 }
        let shape = zip(middle, stride).map { 2 * $0 + $1 }
        let plain = [Float](repeating: 1, count: shape.reduce(1, *))
        let before = try withoutGradients { try network(Tensor(plain, shape: [1, 1] + shape)).floats() }
        var reached = halo.map { _ in 0 }
        for phase in 0..<stride.reduce(1, *) {
            let place = zip(middle, place(phase, in: stride)).map { $0 + $1 }
            var raised = plain
            raised[index(place, in: shape)] = 1e6
            let after = try withoutGradients { try network(Tensor(raised, shape: [1, 1] + shape)).floats() }
            for voxel in before.indices where before[voxel] != after[voxel] {
                let found = self.place(voxel, in: shape)
                for axis in reached.indices { reached[axis] = max(reached[axis], abs(found[axis] - place[axis])) }
            }
        }
        #expect(reached == halo)
    }

    func place(_ index: Int, in shape: [Int]) -> [Int] {
        var rest = index
        return shape.reversed().map { extent in
            defer { rest /= extent }
            return rest % extent
        }.reversed()
    }

    func index(_ place: [Int], in shape: [Int]) -> Int { zip(place, shape).reduce(0) { $0 * $1.1 + $1.0 } }
}
