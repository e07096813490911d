import Tensors
import Testing

struct TensorTests {
    func tensor(_ values: [Float], _ shape: [Int]? = nil) throws -> Tensor {
        try Tensor(values, shape: shape ?? [values.count])
    }

    @Test func valuesGoInAndComeOut() throws {
        let t = try Tensor([Int16(-7), 300, 2, 9, 1, 0], shape: [2, 3])
        #expect(t.shape == [2, 3] && t.elementType == .int16 && t.device == .cpu)
        #expect(try t.values(of: Int16.self) == [-7, 300, 2, 9, 1, 0])
        #expect(try t.floats() == [-7, 300, 2, 9, 1, 0])
        #expect(try Tensor([UInt8](0..<4), shape: [4]).to(.float32).floats() == [0, 1, 2, 3])
        var buffer = [Float](repeating: 0, count: 2)
        try buffer.withUnsafeMutableBufferPointer { try tensor([3, 4]).read(into: $0) }
        #expect(buffer == [3, 4])
    }

    @Test func misfittingValuesAreErrors() throws {
        #expect(throws: TensorError.valueCount(found: 3, shape: [2, 2])) { try tensor([1, 2, 3], [2, 2]) }
        #expect(throws: TensorError.valueCount(found: 1, shape: [-1])) { try tensor([1], [-1]) }
        #expect(throws: TensorError.elementType(found: "float32", expected: "int16")) {
            try tensor([1]).values(of: Int16.self)
        }
    }

    @Test func channelsLastKeepsTheValues() throws {
        let values = (0..<48).map(Float.init)
        let t = try tensor(values, [2, 3, 2, 2, 2]).contiguous(.channelsLast)
        #expect(t.isChannelsLast)
        #expect(try t.floats() == values)
        #expect(try !t.contiguous().isChannelsLast)
    }

    @Test func arithmetic() throws {
        let (a, b) = (try tensor([1, 4, 9]), try tensor([2, 2, 3]))
        #expect(try (a + b).floats() == [3, 6, 12])
        #expect(try (a - b).floats() == [-1, 2, 6])
        #expect(try (a * b).floats() == [2, 8, 27])
        #expect(try (a / b).floats() == [0.5, 2, 3])
        #expect(try (1 - a).floats() == [0, -3, -8])
        #expect(try (36 / a).floats() == [36, 9, 4])
        #expect(try (a / 2).floats() == [0.5, 2, 4.5])
        #expect(try a.squareRoot().floats() == [1, 2, 3])
        #expect(try b.power(3).floats() == [8, 8, 27])
        #expect(try a.clamped(2...5).floats() == [2, 4, 5])
        #expect(try a.minimum(b).floats() == [1, 2, 3])
        #expect(try tensor([-1, 2]).relu().floats() == [0, 2])
        #expect(try tensor([0]).sigmoid().floats() == [0.5])
        #expect(try abs(tensor([0]).softplus().item() - 0.6931472) < 1e-6)
        try a.add(b, scale: 2)
        #expect(try a.floats() == [5, 8, 15])
    }

    @Test func reductions() throws {
        let t = try tensor([1, 2, 3, 4, 5, 6], [2, 3])
        #expect(try t.sum().item() == 21)
        #expect(try t.mean([1]).floats() == [2, 5])
        #expect(try t.largest([0], keepingAxes: true).shape == [1, 3])
        #expect(try t.smallest().item() == 1)
    }

    @Test func shapes() throws {
        let t = try tensor([1, 2, 3, 4, 5, 6], [2, 3])
        #expect(try Tensor.concatenate([t, t], axis: 1).shape == [2, 6])
        #expect(try t.cropped(to: [1..<2, 0..<2]).floats() == [4, 5])
        #expect(try t.permuted([1, 0]).floats() == [1, 4, 2, 5, 3, 6])
        #expect(try t.flipped([1]).floats() == [3, 2, 1, 6, 5, 4])
        #expect(try t.padded([(1, 0), (0, 2)], value: 9).shape == [3, 5])
        #expect(try tensor([1, 2, 3], [1, 1, 3]).reflected([(2, 1)]).floats() == [3, 2, 1, 2, 3, 2])
    }

    @Test func convolutionByHand() throws {
        let x = try tensor([1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 1, 3, 3])
        let w = try tensor([1, 0, 0, -1], [1, 1, 2, 2])
        #expect(try x.convolved(w, stride: [1, 1], padding: [0, 0]).floats() == [-4, -4, -4, -4])
        let up = try tensor([1, 2], [1, 1, 1, 1, 2]).convolvedTransposed(
            tensor([1, 10], [1, 1, 1, 1, 2]), stride: [1, 1, 2])
        #expect(try up.floats() == [1, 10, 2, 20])
        #expect(try x.maxPooled([2, 2], stride: [1, 1]).floats() == [5, 6, 8, 9])
        #expect(try x.averagePooled([3, 3]).floats() == [5])
        #expect(try tensor([1, 2], [1, 1, 1, 2]).resampled(to: [1, 4], .nearest).floats() == [1, 1, 2, 2])
        #expect(try tensor([1, 2], [1, 1, 1, 2]).resampled(to: [1, 4], .linear).floats() == [1, 1.25, 1.75, 2])
    }

    @Test func instanceNormIsPerSampleAndChannel() throws {
        let x = try tensor([1, 3, 10, 30], [1, 2, 1, 1, 2])
        let y = try x.instanceNormalized(scale: nil, shift: nil).floats()
        #expect(zip(y, [-1, 1, -1, 1] as [Float]).allSatisfy { abs($0 - $1) < 1e-4 })
    }

    /// Against libtorch's own in f64, whose variance in f32 would be off by more than is allowed; 8,000 voxels are summed in
    /// several runs.
    @Test(
        "group norm of channels-last tensors and its gradient",
        arguments: [[2, 6, 5, 7], [3, 6, 3, 5, 7], [1, 6, 16, 25, 20]], [1, 2, 6])
    func groupNorm(shape: [Int], groups: Int) throws {
        func results(_ type: Tensor.ElementType) throws -> [[Double]] {
            func noise(_ stream: String, _ shape: [Int]) throws -> Tensor {
                let random = CounterRandom(seed: 1, stream: stream)
                // Rounded, so that all types begin with the same values.
                return try tensor(
                    (0..<shape.reduce(1, *)).map { Float(random.normal(UInt64($0)) * 8).rounded() / 8 }, shape
                ).to(type)
            }
            let x = try (noise("x", shape) + 24).contiguous(.channelsLast)
            let parameterType: Tensor.ElementType = type == .bfloat16 ? .float32 : type
            let (scale, shift) = (
                try noise("scale", [shape[1]]).to(parameterType), try noise("shift", [shape[1]]).to(parameterType)
            )
            for leaf in [x, scale, shift] { try leaf.setRequiresGradient(true) }
            let y = try x.groupNormalized(groups: groups, scale: scale, shift: shift)
            try y.backward(from: noise("gradient", shape).contiguous(.channelsLast))
            return try ([y.detached()] + [x, scale, shift].map { try #require(try $0.gradient()) }).map {
                try $0.to(.float64).contiguous().values(of: Double.self)
            }
        }
        let expected = try results(.float64)
        for (type, tolerance) in [(Tensor.ElementType.float32, 1e-5), (.bfloat16, 1e-2)] {
            for (found, expected) in zip(try results(type), expected) {
                let largest = expected.map(abs).max() ?? 0
                let difference = zip(found, expected).map { abs($0 - $1) }.max() ?? .infinity
                #expect(difference <= tolerance * largest, "\(type)")
            }
        }
    }

    @Test(.enabled(if: Tensor.hasFusedConvolution), arguments: [true, false])
    func fusedConvolutionEqualsItsSteps(relu: Bool) throws {
        let random = CounterRandom(seed: 1, stream: "x")
        func noise(_ shape: [Int]) throws -> Tensor {
            try tensor((0..<shape.reduce(1, *)).map { Float(random.normal(UInt64($0))) }, shape)
        }
        let (x, w, b) = (
            try noise([2, 3, 6, 7, 8]).contiguous(.channelsLast), try noise([4, 3, 1, 3, 3]), try noise([4])
        )
        let steps = try x.convolved(w, bias: b, stride: [1, 1, 1], padding: [0, 1, 1])
        if relu { try steps.reluInPlace() }
        let fused = try withoutGradients {
            try x.convolvedFused(w, bias: b, stride: [1, 1, 1], padding: [0, 1, 1], relu: relu)
        }
        #expect(try (fused - steps).absolute().largest().item() < 1e-5)
        #expect(throws: TensorError.self) {
            try x.convolvedFused(w, bias: b, stride: [1, 1, 1], padding: [0, 1, 1], relu: relu)
        }
    }

    @Test func weightedCrossEntropyByHand() throws {
        let loss = try tensor([0, 2]).binaryCrossEntropy(withTarget: tensor([1, 0]), weight: tensor([3, 1]))
        #expect(try abs(loss.item() - (3 * 0.6931472 + 2.126928) / 2) < 1e-6)
    }

    @Test("libtorch's refusals arrive as one line")
    func refusals() throws {
        let (a, b) = (try tensor([1, 2, 3]), try tensor([1, 2]))
        let error = try #require(throws: TensorError.self) { try a + b }
        #expect(
            error.description
                == "The size of tensor a (3) must match the size of tensor b (2) at non-singleton dimension 0")
        let image = try Tensor.zeros([1, 2, 4, 4])
        let weight = try Tensor.zeros([1, 3, 3, 3])
        for attempt in [
            { try image.convolved(weight, stride: [1, 1], padding: [1, 1]) },
            { try image.convolved(weight, stride: [1], padding: [1, 1]) },
            { try image.narrowed(axis: 2, to: 0..<9) }, { try image.permuted([0, 1]) },
            { try Tensor.zeros([1 << 40, 1 << 20]) }, { try Tensor.concatenate([a, image], axis: 0) },
        ] {
            let error = try #require(throws: TensorError.self) { try attempt() }
            #expect(!error.description.contains("\n") && !error.description.isEmpty)
        }
    }

    @Test func cudaIsUsedOnlyWhereItIs() throws {
        if try Device.resolve(.auto) == .cpu {
            #expect(throws: TensorError.deviceMissing("cuda")) { try Device.resolve(.cuda) }
            #expect(throws: TensorError.deviceMissing("cuda")) { try tensor([1]).to(.cuda) }
        } else {
            #expect(try tensor([1, 2]).to(.cuda).floats() == [1, 2])
        }
    }

    @Test func libtorchSaysItsVersion() { #expect(Libtorch.version.hasPrefix("2.")) }
}

struct AutogradTests {
    @Test func gradientsAddUpUntilCleared() throws {
        let x = try Tensor([2 as Float, 3], shape: [2])
        try x.setRequiresGradient(true)
        #expect(try x.gradient() == nil)
        try x.power(2).sum().backward()
        #expect(try x.gradient()?.floats() == [4, 6])
        try x.sum().backward()
        #expect(try x.gradient()?.floats() == [5, 7])
        try x.clearGradient()
        #expect(try x.gradient() == nil)
    }

    @Test func nothingIsRecordedWithoutGradients() throws {
        let x = try Tensor(2)
        try x.setRequiresGradient(true)
        let y = try withoutGradients { try x * x }
        #expect(!y.requiresGradient)
        #expect(throws: TensorError.self) { try y.backward() }
        #expect(try (x * x).requiresGradient)
        #expect(try !(x * x).detached().requiresGradient)
    }

    @Test func scopesEndWhereTheirBodyThrows() throws {
        struct Fault: Error {}
        #expect(throws: Fault.self) { try withoutGradients { throw Fault() } }
        #expect(throws: Fault.self) { try withAutocast(.bf16, on: .cpu) { throw Fault() } }
        let (x, w) = (try Tensor.zeros([1, 1, 4, 4]), try Tensor.zeros([1, 1, 3, 3]))
        try w.setRequiresGradient(true)
        let y = try x.convolved(w, stride: [1, 1], padding: [1, 1])
        #expect(y.requiresGradient && y.elementType == .float32)
    }

    /// A cached bf16 copy that outlived its scope would still hold the old weight.
    @Test func autocastSeesChangedWeights() throws {
        let (x, w) = (try Tensor.full([1, 1, 2, 2], 1), try Tensor.full([1, 1, 1, 1], 1))
        try w.setRequiresGradient(true)
        for value in [1.0, 3] {
            try w.assign(.full([1, 1, 1, 1], value))
            let y = try withAutocast(.bf16, on: .cpu) { try x.convolved(w, stride: [1, 1], padding: [0, 0]) }
            #expect(y.elementType == .bfloat16)
            #expect(try y.floats() == Array(repeating: Float(value), count: 4))
        }
    }
}

struct OptimizerTests {
    func parameter(_ value: Float) throws -> NamedTensor {
        let tensor = try Tensor([value], shape: [1])
        try tensor.setRequiresGradient(true)
        return NamedTensor("p", tensor)
    }

    func make(_ name: String, _ parameters: [NamedTensor]) throws -> any Optimizer {
        name == "sgd" ? try SGD(parameters, rate: 0.1, momentum: 0.9, decay: 0) : try AdamW(parameters, rate: 0.1)
    }

    func step(_ optimizer: any Optimizer) throws {
        try optimizer.clearGradients()
        try optimizer.parameters[0].tensor.power(2).sum().backward()
        try optimizer.step()
    }

    @Test func nesterovByHand() throws {
        let p = try parameter(1)
        let optimizer = try make("sgd", [p])
        try step(optimizer)  // momentum 2, step 0.1·(2 + 0.9·2)
        #expect(try abs(p.tensor.floats()[0] - 0.62) < 1e-6)
        optimizer.rate = 0
        try step(optimizer)
        #expect(try abs(p.tensor.floats()[0] - 0.62) < 1e-6)
    }

    @Test("A restored optimizer goes on as if nothing had happened", arguments: ["sgd", "adamw"])
    func restored(name: String) throws {
        let p = try parameter(1)
        let first = try make(name, [p])
        for _ in 0..<3 { try step(first) }
        let q = try parameter(p.tensor.floats()[0])
        let second = try make(name, [q])
        try second.load(first.state().mapValues { try $0.copy() })
        for _ in 0..<3 {
            try step(first)
            try step(second)
        }
        #expect(try p.tensor.floats() == q.tensor.floats())
        #expect(throws: TensorError.self) { try second.load([:]) }
    }

    @Test func clippingScalesToTheNorm() throws {
        let p = try Tensor([3 as Float, 4], shape: [2])
        try p.setRequiresGradient(true)
        let optimizer = try make("sgd", [NamedTensor("p", p)])
        try (p.power(2) / 2).sum().backward()
        #expect(try optimizer.clipGradients(toNorm: 1) == 5)
        #expect(try zip(p.gradient()!.floats(), [0.6, 0.8]).allSatisfy { abs($0 - $1) < 1e-6 })
        #expect(try abs(optimizer.clipGradients(toNorm: 2) - 1) < 1e-6)
        #expect(try abs(optimizer.clipGradients(toNorm: 2, scaledBy: 4) - 0.25) < 1e-6)
        #expect(try zip(p.gradient()!.floats(), [0.15, 0.2]).allSatisfy { abs($0 - $1) < 1e-6 })
    }
}

struct CounterRandomTests {
    @Test func momentsAreThoseOfTheDistributions() {
        let random = CounterRandom(seed: 1, stream: "a")
        let count = 100_000
        let uniform = (0..<count).map { random.uniform(UInt64($0)) }
        let normal = (0..<count).map { random.normal(UInt64($0)) }
        #expect(uniform.allSatisfy { $0 >= 0 && $0 < 1 })
        #expect(abs(uniform.reduce(0, +) / Double(count) - 0.5) < 0.005)
        #expect(abs(normal.reduce(0, +) / Double(count)) < 0.015)
        #expect(abs(normal.reduce(0) { $0 + $1 * $1 } / Double(count) - 1) < 0.02)
        let neighbours = zip(normal, normal.dropFirst()).reduce(0) { $0 + $1.0 * $1.1 } / Double(count)
        #expect(abs(neighbours) < 0.015)
    }

    @Test func streamsDiffer() {
        let values = [(1, "a"), (1, "b"), (2, "a")].map { CounterRandom(seed: $0.0, stream: $0.1).bits(0) }
        #expect(Set(values).count == 3)
    }
}
