import Volumes

/// The picture an electron microscope would take of the neurites.
struct Micrograph {
    private(set) var image: Volume<UInt8>

    init(_ labels: [UInt32], membranes: Membranes, organelles: Organelles, grid: Grid, seed: UInt64) {
        var signal = Micrograph.signal(labels, membranes, organelles, grid, seed)
        for _ in 0..<2 { Micrograph.blur(&signal, grid) }
        image = Micrograph.exposed(signal, grid, seed)
    }

    /// What an ideal microscope would see.
    private static func signal(
        _ labels: [UInt32], _ membranes: Membranes, _ organelles: Organelles, _ grid: Grid, _ seed: UInt64
    ) -> [Float] {
        func noise(_ stream: UInt64, _ scale: Double) -> [Float] {
            SmoothNoise(seed: seed, stream: stream, grid: grid, scale: scale).values(on: grid)
        }
        let shading = noise(10, 45)
        let texture = noise(11, 2.6)
        let sheets = noise(12, 9)
        let sheetExtent = noise(13, 26)
        let staining = noise(14, 12)
        let cytoplasm = cytoplasmBrightness(labels.max() ?? 0, seed)
        let pairs = CounterRandom(seed: seed, stream: 16)

        return labels.indices.map { index in
            let label = labels[index]
            var value = cytoplasm[Int(label)] + 18 * shading[index] + 13 * texture[index]
            // Endoplasmic reticulum: thin dark sheets where a noise crosses zero.
            let distance = membranes.distance[index]
            if distance > 3, sheetExtent[index] > 0.2 {
                let sheet = 1 - abs(sheets[index]) / 0.13
                if sheet > 0 { value -= 55 * sheet }
            }
            if organelles.brightness[index] > 0 {
                value = organelles.brightness[index] + 8 * texture[index] + 8 * shading[index]
            }
            let density = membranes.density[index]
            if density > 0 {
                // Some pairs of neurites have slightly fainter membranes, and all are stained unevenly.
                let (low, high) = (min(label, membranes.neighbour[index]), max(label, membranes.neighbour[index]))
                let pair = Float(0.95 + 0.05 * pairs.uniform(UInt64(low) << 32 | UInt64(high)))
                let stain = min(1, max(0.85, 0.95 + 0.3 * staining[index]))
                value = max(25, value - 115 * density * pair * stain)
            }
            return value
        }
    }

    /// A brightness for each label; label 0, the space outside cells, is the brightest.
    private static func cytoplasmBrightness(_ count: UInt32, _ seed: UInt64) -> [Float] {
        var random = RandomSequence(seed: seed, stream: 15)
        return [205]
            + (0..<count).map { _ in
                // One neurite in six is dark.
                Float(random.uniform() < 0.16 ? random.uniform(105..<130) : random.uniform(140..<190))
            }
    }

    /// Half of the point spread: [¼ ½ ¼] along the axes of fine voxels.
    private static func blur(_ values: inout [Float], _ grid: Grid) {
        let shape = grid.shape
        let strides = [shape.y * shape.x, shape.x, 1]
        for axis in 0..<3 where grid.edge.array[axis] < 2 && shape.array[axis] > 1 {
            let source = values
            let stride = strides[axis]
            let count = shape.array[axis]
            source.withUnsafeBufferPointer { source in
                values.withUnsafeMutableBufferPointer { target in
                    for index in 0..<source.count {
                        let position = index / stride % count
                        let before = source[position > 0 ? index - stride : index]
                        let after = source[position < count - 1 ? index + stride : index]
                        target[index] = 0.5 * source[index] + 0.25 * (before + after)
                    }
                }
            }
        }
    }

    /// Adds a brightness per section, shot noise and the detector's own noise.
    private static func exposed(_ signal: [Float], _ grid: Grid, _ seed: UInt64) -> Volume<UInt8> {
        let grain = CounterRandom(seed: seed, stream: 17)
        let exposure = CounterRandom(seed: seed, stream: 18)
        let plane = grid.shape.y * grid.shape.x
        // Cut sections differ more than the faces of a milled block.
        let jitter: Float = grid.edge.z < 2 ? 1.5 : 5
        var voxels = [UInt8](repeating: 0, count: signal.count)
        for z in 0..<grid.shape.z {
            let offset = exposure.normal(UInt64(2 * z)) * jitter
            let gain = 1 + exposure.normal(UInt64(2 * z + 1)) * jitter * 0.005
            for index in z * plane..<(z + 1) * plane {
                let value = signal[index] * gain + offset
                let deviation = (12 + 0.3 * max(0, value)).squareRoot()
                let noisy = value + deviation * grain.normal(UInt64(index))
                voxels[index] = UInt8(min(255, max(0, noisy.rounded())))
            }
        }
        return Volume(shape: grid.shape, voxels: voxels)
    }
}
