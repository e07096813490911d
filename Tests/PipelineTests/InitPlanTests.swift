import Foundation
import Pipeline
import Tensors
import Testing
import Training
import Volumes

/// What is begun with follows from what the data hold.
struct InitPlanTests {
    private static func facts(
        _ shape: ZYX<Int>, nanometers: ZYX<Double>, objects: Int = 100, ids: [UInt64] = [], pieces: Int = 100,
        voxels: Int = 2_000, zeros: Double = 0, touching: Double = 0.2, labelledSections: Int? = nil,
        thickness: Int? = nil, hasMask: Bool = false, zeroIsUnlabelled: Bool = false
    ) -> DataFacts {
        DataFacts(
            shape: shape, voxelSize: VoxelSize(nanometers, .nanometer), objects: objects, ids: ids, pieces: pieces,
            medianVoxels: voxels, zeros: zeros, touching: touching, labelledSections: labelledSections,
            thickness: thickness, hasMask: hasMask, zeroIsUnlabelled: zeroIsUnlabelled)
    }

    private static func plan(_ facts: DataFacts, dimensions: Int? = nil, patchVoxels: Int = 64 * 64 * 64) throws
        -> InitPlan
    {
        try InitPlan(facts, device: .cpu, dimensions: dimensions, patchVoxels: patchVoxels)
    }

    struct Layout: Sendable {
        var shape: ZYX<Int>
        var nanometers: ZYX<Double>
        var dimensions = 3
        var patch: ZYX<Int>
        /// nil where all axes are treated alike.
        var kernels: [[Int]]?
        var strides: [[Int]]?
        var levels = 4
    }

    /// By hand: for n voxels the extents are (n · z · y · x)^⅓ nm over each side, cut to the volume and rounded to
    /// multiples of the strides; an axis is pooled and convolved once its side is below twice the shortest.
    private static let layouts = [
        Layout(shape: ZYX(125, 250, 250), nanometers: ZYX(10, 10, 10), patch: ZYX(64, 64, 64)),
        // 875.6 nm: 21.9 × 109.4 × 109.4; 40 × 8 × 8, 40 × 16 × 16, then 40 × 32 × 32.
        Layout(
            shape: ZYX(64, 512, 512), nanometers: ZYX(40, 8, 8), patch: ZYX(22, 112, 112),
            kernels: [[1, 3, 3], [1, 3, 3], [3, 3, 3], [3, 3, 3]],
            strides: [[1, 2, 2], [1, 2, 2], [2, 2, 2]]),
        // 1209.5 nm: 40.3 × 80.6 × 80.6. Twice as long is not below twice.
        Layout(
            shape: ZYX(100, 400, 400), nanometers: ZYX(30, 15, 15), patch: ZYX(40, 80, 80),
            kernels: [[1, 3, 3], [3, 3, 3], [3, 3, 3], [3, 3, 3]],
            strides: [[1, 2, 2], [2, 2, 2], [2, 2, 2]]),
        // Six sections are never halved; what they leave is 43,690.7 = 209.0².
        Layout(
            shape: ZYX(6, 300, 300), nanometers: ZYX(10, 10, 10), patch: ZYX(6, 208, 208),
            kernels: [[3, 3, 3], [3, 3, 3], [3, 3, 3], [3, 3, 3]],
            strides: [[1, 2, 2], [1, 2, 2], [1, 2, 2]]),
        // 16³ has 4³ after two halvings.
        Layout(shape: ZYX(16, 16, 16), nanometers: ZYX(10, 10, 10), patch: ZYX(16, 16, 16), levels: 3),
        // Sections by themselves: four of 256².
        Layout(
            shape: ZYX(20, 512, 512), nanometers: ZYX(50, 4, 4), dimensions: 2, patch: ZYX(1, 256, 256), levels: 5),
    ]

    @Test(arguments: layouts)
    func axesAreTreatedByTheirVoxels(layout: Layout) throws {
        let plan = try Self.plan(Self.facts(layout.shape, nanometers: layout.nanometers))
        #expect(plan.dimensions == layout.dimensions)
        #expect(plan.training.patch == layout.patch)
        // Sections that are photographed one by one differ.
        #expect((plan.training.augmentation.noiseLevel == 0.5) == (layout.nanometers.z > 8 * layout.nanometers.x))
        #expect(plan.training.augmentation.elastic == (plan.training.augmentation.noiseLevel == 0.5))
        #expect(plan.network.configuration.levels == layout.levels)
        #expect(plan.network.configuration.kernels == layout.kernels)
        #expect(plan.network.configuration.strides == layout.strides)
    }

    @Test(arguments: [(Device.cpu, ZYX(64, 64, 64), 16, 4), (.cuda, ZYX(128, 128, 128), 32, 5)])
    func aGPUHasTimeForMore(device: Device, patch: ZYX<Int>, features: Int, levels: Int) throws {
        let plan = try InitPlan(
            Self.facts(ZYX(200, 250, 250), nanometers: ZYX(10, 10, 10)), device: device,
            patchVoxels: InitPlan.usualPatchVoxels(on: device))
        #expect(plan.training.patch == patch)
        #expect(plan.network.configuration.features == features)
        #expect(plan.network.configuration.levels == levels)
    }

    struct Labels: Sendable {
        var facts: DataFacts
        var target: [Target.Head]
        var minimumVoxels: Int
        var isRegrown = false
        var dimensions = 3
        var unlabelled = Unlabelled.none
    }

    private static let dense: [Target.Head] = [.boundary, .affinities([.voxels(1), .voxels(4), .voxels(9)])]
    private static let cube = (shape: ZYX(60, 100, 100), nanometers: ZYX(10.0, 10, 10))

    private static let labels = [
        // Without gaps; with gaps of 0 instead of membranes; with gaps that few touch across.
        Labels(
            facts: facts(cube.shape, nanometers: cube.nanometers), target: dense, minimumVoxels: 200,
            isRegrown: true),
        Labels(
            facts: facts(cube.shape, nanometers: cube.nanometers, voxels: 300, zeros: 0.25, touching: 0),
            target: dense,
            minimumVoxels: 100, isRegrown: true),
        Labels(
            facts: facts(cube.shape, nanometers: cube.nanometers, zeros: 0.4, touching: 0.1), target: dense,
            minimumVoxels: 200, isRegrown: true),
        Labels(
            facts: facts(cube.shape, nanometers: cube.nanometers, zeros: 0.7, zeroIsUnlabelled: true),
            target: dense,
            minimumVoxels: 200, isRegrown: true, unlabelled: .zero),
        Labels(
            facts: facts(cube.shape, nanometers: cube.nanometers, voxels: 400, zeros: 0.8, touching: 0.05),
            target: [.foreground], minimumVoxels: 40),
        Labels(
            facts: facts(cube.shape, nanometers: cube.nanometers, objects: 1, ids: [255], pieces: 30, zeros: 0.2),
            target: [.foreground], minimumVoxels: 200),
        Labels(
            facts: facts(
                cube.shape, nanometers: cube.nanometers, objects: 2, ids: [1, 7], pieces: 30, zeros: 0.8,
                touching: 0),
            target: [.classes([1, 7])], minimumVoxels: 200),
        // Two neurites in three pieces each might be classes; twenty objects in 25 pieces are not.
        Labels(
            facts: facts(
                cube.shape, nanometers: cube.nanometers, objects: 20, ids: Array(1...20), pieces: 25, zeros: 0.9,
                touching: 0), target: [.foreground], minimumVoxels: 200),
        Labels(
            facts: facts(cube.shape, nanometers: cube.nanometers, labelledSections: 6, thickness: 1), target: dense,
            minimumVoxels: 200, isRegrown: true, dimensions: 2, unlabelled: .zero),
        Labels(
            facts: facts(
                cube.shape, nanometers: cube.nanometers, labelledSections: 6, thickness: 1, hasMask: true),
            target: dense, minimumVoxels: 200, isRegrown: true, dimensions: 2),
        // Cubes in patches of cubes: turned, single sections teach all axes; of a volume thinner than a patch they do not.
        Labels(
            facts: facts(
                ZYX(125, 250, 250), nanometers: cube.nanometers, labelledSections: 16, thickness: 1), target: dense,
            minimumVoxels: 200, isRegrown: true, unlabelled: .zero),
        Labels(
            facts: facts(
                ZYX(125, 250, 250), nanometers: ZYX(12, 10, 10), labelledSections: 16, thickness: 1), target: dense,
            minimumVoxels: 200, isRegrown: true, dimensions: 2, unlabelled: .zero),
        // Every second section; a block of sections filled by objects, or holding some.
        Labels(
            facts: facts(cube.shape, nanometers: cube.nanometers, labelledSections: 30, thickness: 1),
            target: dense,
            minimumVoxels: 200, isRegrown: true, dimensions: 2, unlabelled: .zero),
        Labels(
            facts: facts(cube.shape, nanometers: cube.nanometers, labelledSections: 30, thickness: 30),
            target: dense, minimumVoxels: 200, isRegrown: true, unlabelled: .zero),
        Labels(
            facts: facts(cube.shape, nanometers: cube.nanometers, labelledSections: 58, thickness: 58),
            target: dense, minimumVoxels: 200, isRegrown: true),
        Labels(
            facts: facts(
                cube.shape, nanometers: cube.nanometers, voxels: 400, zeros: 0.8, touching: 0.05,
                labelledSections: 30, thickness: 30), target: [.foreground], minimumVoxels: 40),
        // Single sections with room between objects, of which 0 is what is outside; unless a mask says where it is.
        Labels(
            facts: facts(
                cube.shape, nanometers: cube.nanometers, voxels: 400, zeros: 0.8, touching: 0.05,
                labelledSections: 6, thickness: 1), target: [.foreground], minimumVoxels: 40, dimensions: 2,
            unlabelled: .sections),
        Labels(
            facts: facts(
                cube.shape, nanometers: cube.nanometers, voxels: 400, zeros: 0.8, touching: 0.05,
                labelledSections: 6, thickness: 1, hasMask: true), target: [.foreground], minimumVoxels: 40,
            dimensions: 2),
    ]

    @Test(arguments: labels)
    func whatIsLearntFollowsFromTheLabels(labels: Labels) throws {
        let plan = try Self.plan(labels.facts)
        #expect(plan.target == Target(labels.target))
        #expect(plan.label.minimumVoxels == labels.minimumVoxels)
        #expect(plan.label.regrow?.within == (labels.isRegrown ? 100 : nil))
        #expect((plan.label.merge != nil) == labels.isRegrown)
        // Objects with room between them grow to where most members see them.
        let hasRoom = labels.target == [.foreground] && labels.facts.kind != .mask
        #expect(plan.label.regrow?.votes == (hasRoom ? 3 : nil))
        #expect(plan.dimensions == labels.dimensions)
        #expect(plan.unlabelled == labels.unlabelled)
        #expect(plan.resolution == nil)
    }

    /// A sphere 160 voxels of 100 nm across has 2,144,661 of 100³ nm³; it becomes 32 voxels across.
    @Test(arguments: [
        (ZYX(100.0, 100, 100), 2_144_661, ZYX(500.0, 500, 500)), (ZYX(700, 100, 100), 306_381, ZYX(700, 500, 500)),
    ])
    func largeObjectsAreSeenAtCoarseVoxels(nanometers: ZYX<Double>, voxels: Int, resolution: ZYX<Double>) throws {
        let facts = Self.facts(ZYX(400, 600, 600), nanometers: nanometers, voxels: voxels, zeros: 0.8, touching: 0)
        let plan = try Self.plan(facts)
        #expect(plan.resolution?.nanometers == resolution)
        // In voxels of the resolution a tenth is more than what is ever asked for.
        #expect(plan.label.minimumVoxels == 1_000)
        #expect(
            try Self.plan(Self.facts(ZYX(400, 600, 600), nanometers: nanometers, voxels: voxels)).resolution == nil)
    }

    /// One annotated section says nothing of what is between sections.
    @Test func aSingleAnnotatedSectionIsLearntInTwoDimensions() throws {
        var facts = Self.facts(ZYX(60, 100, 100), nanometers: ZYX(10, 10, 10))
        (facts.labelledShape, facts.labelledSections, facts.thickness) = (ZYX(1, 100, 100), 1, 1)
        let plan = try Self.plan(facts)
        #expect(plan.dimensions == 2 && plan.training.patch.z == 1 && plan.unlabelled == .none)
    }

    @Test func dimensionsCanBeAskedFor() throws {
        let isotropic = try Self.plan(Self.facts(ZYX(60, 100, 100), nanometers: ZYX(10, 10, 10)), dimensions: 2)
        #expect(isotropic.dimensions == 2)
        let sections = try Self.plan(Self.facts(ZYX(20, 512, 512), nanometers: ZYX(50, 4, 4)), dimensions: 3)
        #expect(sections.dimensions == 3)
        // 50 × 4, 50 × 8, 50 × 16, then 50 × 32; the last one convolves along all axes.
        #expect(sections.network.configuration.kernels == [[1, 3, 3], [1, 3, 3], [1, 3, 3], [3, 3, 3]])
    }

    @Test func smallerPatchesKeepTheirProportions() throws {
        let facts = Self.facts(ZYX(125, 250, 250), nanometers: ZYX(10, 10, 10))
        #expect(try Self.plan(facts, patchVoxels: 32 * 32 * 32).training.patch == ZYX(32, 32, 32))
    }
}
