import Volumes

/// Mitochondria and vesicles: how they change the brightness of the cytoplasm they lie in.
struct Organelles {
    /// The brightness of each voxel that an organelle covers; 0 elsewhere.
    private(set) var brightness: [Float]

    private let grid: Grid
    private let membranes: Membranes
    private var random: RandomSequence

    init(in lines: CentreLines, labels: [UInt32], membranes: Membranes, grid: Grid, seed: UInt64) {
        self.grid = grid
        self.membranes = membranes
        brightness = [Float](repeating: 0, count: labels.count)
        random = RandomSequence(seed: seed, stream: 2)
        let ripple = SmoothNoise(seed: seed, stream: 3, grid: grid, scale: 7).values(on: grid)
        for neurite in lines.neurites {
            for index in stride(from: 3, to: neurite.count, by: 6) {
                placeOrganelle(at: neurite[index], labels, ripple)
            }
        }
        placeVesicles(labels)
    }

    private mutating func placeOrganelle(at knot: CentreLines.Knot, _ labels: [UInt32], _ ripple: [Float]) {
        guard let index = voxel(at: knot.place), random.uniform() < 0.22 else { return }
        let room = Double(membranes.distance[index])
        guard room > 4 else { return }
        let radius = min(room - 0.5, random.uniform(3.5..<8))
        placeMitochondrion(
            knot, radius: radius, length: radius * random.uniform(1.2..<3.2), label: labels[index], labels, ripple)
    }

    /// An ellipsoid along the neurite: a dark double membrane, a dark matrix and cristae across.
    private mutating func placeMitochondrion(
        _ knot: CentreLines.Knot, radius: Double, length: Double, label: UInt32, _ labels: [UInt32],
        _ ripple: [Float]
    ) {
        let matrix = Float(random.uniform(85..<120))
        let tilt = random.direction() * 0.25
        let axis = knot.direction + tilt
        let unit = axis * (1 / max(axis.length, 0.1))
        let grid = grid
        grid.forEachVoxel(within: max(length, radius) + 1, of: knot.place) { index, offset in
            guard labels[index] == label, membranes.distance[index] > 2, brightness[index] == 0 else { return }
            let along = offset.dot(unit)
            let across = (max(0, offset.dot(offset) - along * along)).squareRoot()
            let bent = across + Double(ripple[index]) * 0.8
            let extent = ((along / length) * (along / length) + (bent / radius) * (bent / radius)).squareRoot()
            guard extent < 1 else { return }
            let depth = (1 - extent) * radius
            if depth < 1.3 {
                brightness[index] = 62
            } else if depth < 2.1 {
                brightness[index] = matrix + 25
            } else {
                // Cristae: dark sheets across the axis, bent by the noise, every four units.
                let phase = along / 4 + Double(ripple[index])
                let wave = abs(phase - phase.rounded()) * 2
                brightness[index] = matrix + (wave < 0.4 ? -30 : 12)
            }
        }
    }

    /// Clusters of small rings.
    private mutating func placeVesicles(_ labels: [UInt32]) {
        let size = grid.size
        let clusters = Int(size.z * size.y * size.x / 12_000)
        for _ in 0..<clusters {
            let centre = random.point(within: size)
            guard let home = voxel(at: centre), membranes.distance[home] > 4 else { continue }
            for _ in 0..<Int(random.uniform(2..<14)) {
                let place = centre + random.direction() * random.uniform(0..<11)
                guard let index = voxel(at: place), labels[index] == labels[home], membranes.distance[index] > 3.5
                else { continue }
                placeVesicle(at: place, radius: random.uniform(1.7..<2.6))
            }
        }
    }

    private mutating func placeVesicle(at place: Point, radius: Double) {
        let grid = grid
        grid.forEachVoxel(within: radius, of: place) { index, offset in
            guard brightness[index] == 0 else { return }
            brightness[index] = offset.length > radius - 1 ? 85 : 165
        }
    }

    private func voxel(at place: Point) -> Int? {
        let position = place.zip(grid.edge) { Int(($0 / $1).rounded(.down)) }
        guard Box(grid.shape).contains(Box(origin: position, shape: ZYX(repeating: 1))) else { return nil }
        return grid.index(position.z, position.y, position.x)
    }
}
