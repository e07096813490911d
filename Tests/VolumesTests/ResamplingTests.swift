import Testing
import Volumes

/// Voxels of one size become voxels of another, the corners of their grids at one place.
struct ResamplingTests {
    /// Old and new voxel sizes, of which the second is coarser along some axes and finer along others.
    static let sizes: [(ZYX<Double>, ZYX<Double>)] = [
        (ZYX(10, 10, 10), ZYX(16, 16, 16)), (ZYX(16, 16, 16), ZYX(10, 10, 10)), (ZYX(10, 10, 10), ZYX(20, 30, 10)),
        (ZYX(40, 8, 8), ZYX(16, 16, 16)), (ZYX(50, 9.1, 7.3), ZYX(40, 10, 3.9)), (ZYX(8, 8, 8), ZYX(64, 1, 8)),
        (ZYX(10, 10.05, 7), ZYX(10, 10, 11)),
    ]
    static let shape = ZYX(13, 22, 37)

    private static func resampling(_ sizes: (ZYX<Double>, ZYX<Double>), _ shape: ZYX<Int> = shape) throws
        -> Resampling
    {
        try Resampling(
            Box(shape), from: VoxelSize(sizes.0, .nanometer), to: VoxelSize(sizes.1, .nanometer))
    }

    private func voxels(_ whole: VoxelBuffer, _ resampling: Resampling, _ kind: Resampling.Kind) throws
        -> VoxelBuffer
    {
        try resampling.voxels(of: resampling.target, kind, whole.elementType, threads: 2) { whole.cropped(to: $0) }
    }

    private static func noise(_ shape: ZYX<Int>) -> Volume<UInt16> {
        var state: UInt64 = 1
        return Volume(
            shape: shape,
            voxels: (0..<shape.count).map { _ in
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return UInt16(truncatingIfNeeded: state >> 40)
            })
    }

    // MARK: By definition

    /// How much of a source voxel a target voxel takes along an axis.
    private func weight(_ source: Int, _ target: Int, of count: Int, _ step: Double) -> Double {
        if step > 1 {
            let end = min(Double(target + 1) * step, Double(count))
            let overlap = min(end, Double(source + 1)) - max(Double(target) * step, Double(source))
            return max(0, overlap) / (end - Double(target) * step)
        }
        let place = min(max((Double(target) + 0.5) * step - 0.5, 0), Double(count - 1))
        return max(0, 1 - abs(place - Double(source)))
    }

    private func mixed(_ whole: Volume<UInt16>, _ steps: ZYX<Double>, _ shape: ZYX<Int>) -> [Double] {
        let (old, step) = (whole.shape.array, steps.array)
        let weights = (0..<3).map { axis in
            (0..<shape.array[axis]).map { target in
                (0..<old[axis]).map { weight($0, target, of: old[axis], step[axis]) }
            }
        }
        var result: [Double] = []
        for z in 0..<shape.z {
            for y in 0..<shape.y {
                for x in 0..<shape.x {
                    var sum = 0.0
                    for (k, a) in weights[0][z].enumerated() where a > 0 {
                        for (j, b) in weights[1][y].enumerated() where b > 0 {
                            for (i, c) in weights[2][x].enumerated() where c > 0 {
                                sum += a * b * c * Double(whole[k, j, i])
                            }
                        }
                    }
                    result.append(sum)
                }
            }
        }
        return result
    }

    private func steps(_ sizes: (ZYX<Double>, ZYX<Double>)) -> ZYX<Double> {
        sizes.0.zip(sizes.1) { abs($1 / $0 - 1) < 0.009 ? 1 : $1 / $0 }
    }

    @Test(arguments: sizes)
    func intensitiesAreMeansOfAreasAndInterpolated(old: ZYX<Double>, new: ZYX<Double>) throws {
        let resampling = try Self.resampling((old, new))
        let steps = steps((old, new))
        let shape = Self.shape.zip(steps) { Int((Double($0) / $1).rounded()) }
        #expect(resampling.target == Box(shape))
        let whole = Self.noise(Self.shape)
        let expected = mixed(whole, steps, shape)
        let floats = try voxels(VoxelBuffer(whole.map { Float($0) }), resampling, .intensities).volume(
            of: Float.self)
        #expect(zip(floats.voxels, expected).allSatisfy { abs(Double($0) - $1) < 0.05 })
        let integers = try voxels(VoxelBuffer(whole), resampling, .intensities).volume(of: UInt16.self)
        #expect(zip(integers.voxels, expected).allSatisfy { abs(Double($0) - $1) < 0.55 })
    }

    @Test(arguments: sizes)
    func aLabelIsThatOfTheVoxelAroundTheMiddle(old: ZYX<Double>, new: ZYX<Double>) throws {
        let resampling = try Self.resampling((old, new))
        let steps = steps((old, new))
        let whole = Self.noise(Self.shape)
        let labels = try voxels(VoxelBuffer(whole), resampling, .labels).volume(of: UInt16.self)
        #expect(resampling.labels(whole, of: resampling.source, in: resampling.target) == labels)
        func place(_ target: Int, _ step: Double, _ count: Int) -> Int {
            min(count - 1, Int(((Double(target) + 0.5) * step).rounded(.down)))
        }
        var differing = 0
        for z in 0..<labels.shape.z {
            for y in 0..<labels.shape.y {
                for x in 0..<labels.shape.x {
                    let source = ZYX(
                        place(z, steps.z, whole.shape.z), place(y, steps.y, whole.shape.y),
                        place(x, steps.x, whole.shape.x))
                    if labels[z, y, x] != whole[source.z, source.y, source.x] { differing += 1 }
                }
            }
        }
        #expect(differing == 0)
    }

    /// A ramp of positions in space stays one. Means of areas that cut voxels waver about it by an eighth of a voxel at
    /// most, since a voxel is of one value, and do not move it.
    @Test(arguments: sizes)
    func nothingMoves(old: ZYX<Double>, new: ZYX<Double>) throws {
        let resampling = try Self.resampling((old, new))
        let steps = steps((old, new))
        for axis in 0..<3 {
            func place(_ index: Int, _ shape: ZYX<Int>) -> Double {
                Double([index / (shape.y * shape.x), index / shape.x % shape.y, index % shape.x][axis]) + 0.5
            }
            let ramp = Volume(
                shape: Self.shape, voxels: (0..<Self.shape.count).map { Float(place($0, Self.shape)) })
            let result = try voxels(VoxelBuffer(ramp), resampling, .intensities).volume(of: Float.self)
            let step = steps.array[axis]
            // Beyond its middle the outermost voxel goes on as it is.
            let inner = 0.5 + step / 2..<Double(Self.shape.array[axis]) - 0.5 - step / 2
            let moved = result.voxels.indices.compactMap { index -> Double? in
                let expected = place(index, result.shape) * step
                return inner.contains(expected) ? Double(result.voxels[index]) - expected : nil
            }
            let isCut = step > 1 && step != step.rounded()
            #expect(moved.allSatisfy { abs($0) < (isCut ? 0.126 : 1e-4) }, "axis \(axis)")
            #expect(abs(moved.reduce(0, +)) <= 0.02 * Double(moved.count), "axis \(axis)")
        }
    }

    // MARK: Blocks and boxes

    @Test(arguments: sizes, [ZYX(5, 7, 11), ZYX(1, 64, 3)])
    func voxelsDoNotDependOnTheBlocksTheyAreMadeIn(sizes: (ZYX<Double>, ZYX<Double>), block: ZYX<Int>) throws {
        let resampling = try Self.resampling(sizes)
        let whole = VoxelBuffer(Self.noise(Self.shape).map { Float($0) })
        for kind in [Resampling.Kind.intensities, .labels] {
            let all = try voxels(whole, resampling, kind)
            for box in resampling.target.cells(of: block) {
                let part = try resampling.voxels(of: box, kind, .float32, threads: 1) { whole.cropped(to: $0) }
                #expect(part == all.cropped(to: box))
            }
        }
    }

    /// Volumes of more voxels than are read at a time, or made in one cell.
    @Test func aLargeVolumeIsReadInParts() throws {
        let shape = ZYX(256, 520, 1030)
        let resampling = try Self.resampling((ZYX(1, 1, 1), ZYX(8, 8, 8)), shape)
        var parts = 0
        let result = try resampling.voxels(of: resampling.target, .intensities, .uint8, threads: 2) { box in
            parts += 1
            #expect(box.count <= 128 << 20)
            return VoxelBuffer(
                Volume<UInt8>(shape: box.shape, voxels: (0..<box.count).map { UInt8(($0 % box.shape.x) / 8 % 256) })
            )
        }
        #expect(parts > 1 && result.shape == ZYX(32, 65, 129))
        #expect(result.bytes.prefix(64).enumerated().allSatisfy { Int($1) == $0 })
    }

    @Test(arguments: sizes)
    func boxesThatTouchStillTouch(sizes: (ZYX<Double>, ZYX<Double>)) throws {
        let (old, new) = (VoxelSize(sizes.0, .nanometer), VoxelSize(sizes.1, .nanometer))
        let whole = try Self.resampling(sizes).target
        var end = 0
        for box in Box(Self.shape).cells(of: ZYX(13, 22, 13)) {
            let target = try Resampling(box, from: old, to: new).target
            #expect(target.origin.x == end && whole.contains(target))
            end = target.end.x
        }
        #expect(end == whole.end.x)
    }

    /// A box of labels is made of the same voxels as in the whole.
    @Test func theLabelsOfABoxLieWhereThoseOfTheWholeDo() throws {
        let whole = Self.noise(Self.shape)
        let box = Box(origin: ZYX(3, 5, 7), shape: ZYX(8, 13, 21))
        for sizes in Self.sizes {
            let (old, new) = (VoxelSize(sizes.0, .nanometer), VoxelSize(sizes.1, .nanometer))
            let all = try Self.resampling(sizes)
            let part = try Resampling(box, from: old, to: new)
            let labels = part.labels(whole.cropped(to: box), of: part.source, in: part.target)
            // At its faces a voxel may have its middle beyond the box, by rounding alone.
            let inner = part.target.grown(by: ZYX(repeating: -1))
            guard !inner.isEmpty else { continue }
            #expect(
                labels.cropped(to: inner.relative(to: part.target.origin))
                    == all.labels(whole, of: all.source, in: inner),
                "\(sizes)")
        }
    }

    @Test(arguments: sizes)
    func theWayBackEndsOnTheSameVoxels(sizes: (ZYX<Double>, ZYX<Double>)) throws {
        let way = try Self.resampling(sizes)
        #expect(way.inverse.source == way.target && way.inverse.target == Box(Self.shape))
        let made = Self.noise(way.target.shape)
        let back = way.inverse.labels(made, of: way.target, in: Box(Self.shape))
        // Finer voxels and back: nothing is lost.
        if sizes.0.zip(sizes.1, >=).array.allSatisfy({ $0 }) {
            let whole = Self.noise(Self.shape)
            #expect(
                way.inverse.labels(
                    way.labels(whole, of: Box(Self.shape), in: way.target), of: way.target, in: Box(Self.shape))
                    == whole)
        }
        #expect(back.shape == Self.shape)
    }

    // MARK: Values and limits

    @Test(arguments: ElementType.allCases, sizes)
    func aConstantStaysWhatItIs(type: ElementType, sizes: (ZYX<Double>, ZYX<Double>)) throws {
        let resampling = try Self.resampling(sizes, ZYX(5, 9, 20))
        for value in try type.visit(Extremes()) {
            let whole = try VoxelBuffer(Volume<Double>(shape: ZYX(5, 9, 20), repeating: value)).converted(to: type)
            let result = try voxels(whole, resampling, .intensities).converted(to: Double.self)
            #expect(result.voxels.allSatisfy { abs($0 - value) <= abs(value) * 0x1p-22 }, "\(value)")
        }
    }

    @Test func sizesWithinOnePercentAreTheSame() throws {
        let whole = Self.noise(Self.shape)
        let resampling = try Self.resampling((ZYX(10, 10, 10), ZYX(10.09, 9.92, 10)))
        #expect(try voxels(VoxelBuffer(whole), resampling, .intensities) == VoxelBuffer(whole))
    }

    @Test(arguments: [
        (ZYX(10.0, 10, 10), ZYX(10.0, 81, 10), ZYX(8, 8, 8), "more than 8 times"),
        (ZYX(10, 10, 10), ZYX(10, 10, 1.2), ZYX(8, 8, 8), "more than 8 times"),
        (ZYX(10, 10, 10), ZYX(1e-300, 10, 10), ZYX(8, 8, 8), "more than 8 times"),
        (ZYX(10, 10, 10), ZYX(30, 10, 10), ZYX(1, 8, 8), "none would be left"),
    ])
    func whatIsTooFarIsRefused(old: ZYX<Double>, new: ZYX<Double>, shape: ZYX<Int>, problem: String) throws {
        let fault = #expect(throws: ResamplingFault.self) { try Self.resampling((old, new), shape) }
        #expect(fault?.description.contains(problem) == true)
    }
}

/// The least and the largest value of a type, as far as 32-bit floating point tells them, and others.
private struct Extremes: VoxelTypeVisitor {
    func visit<Element: VoxelElement>(_ type: Element.Type) throws(any Error) -> [Double] {
        let bits = MemoryLayout<Element>.size * 8
        let isSigned = Element.nearest(-1) != nil
        if !Element.elementType.isInteger { return [-1e30, -0.5, 0, 1, 1e30] }
        let top = Double(sign: .plus, exponent: isSigned ? bits - 1 : bits, significand: 1)
        let largest = bits < 64 ? top - 1 : top.nextDown
        return (isSigned ? [-top, -1] : []) + [0, 1, 100, largest]
    }
}
