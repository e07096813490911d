import Volumes

/// Neurites as bodies around wandering, branching centre lines, before they grow to fill the volume.
struct CentreLines {
    /// A point of a centre line, with the neurite's radius and direction there.
    struct Knot {
        var place: Point
        var direction: Point
        var radius: Double
    }

    /// Each neurite's knots; neurite `i` has label `i + 1`.
    private(set) var neurites: [[Knot]] = []
    /// 0 or the label of the neurite whose core a voxel belongs to.
    private(set) var cores: [UInt32]

    private let grid: Grid
    /// The mean distance between centre lines, in units.
    private let spacing: Double
    private let seed: UInt64
    private var random: RandomSequence

    init(grid: Grid, spacing: Double, seed: UInt64) {
        self.grid = grid
        self.spacing = spacing
        self.seed = seed
        random = RandomSequence(seed: seed, stream: 1)
        cores = [UInt32](repeating: 0, count: grid.shape.count)
        placeBodies()
        placeNeurites()
    }

    /// A few large bodies, such as a soma or a giant fibre.
    private mutating func placeBodies() {
        let size = grid.size
        let count = max(1, Int(size.z * size.y * size.x / (spacing * spacing * spacing * 60)))
        for _ in 0..<count {
            let axis = random.direction()
            let radius = spacing * random.uniform(0.75..<1.1)
            let centre = random.point(within: size)
            let label = UInt32(neurites.count + 1)
            var knots: [Knot] = []
            for step in -2...2 {
                let place = centre + axis * (Double(step) * radius * 0.5)
                let knot = Knot(place: place, direction: axis, radius: radius * (1 - 0.1 * Double(step * step)))
                guard isWithin(place), isFree(knot, for: label) else { continue }
                knots.append(knot)
                mark(knot, label)
            }
            if !knots.isEmpty { neurites.append(knots) }
        }
    }

    /// Neurites start in the widest of some gaps, until there is none left.
    private mutating func placeNeurites() {
        var failures = 0
        while failures < 8 {
            var start = random.point(within: grid.size)
            var clearance = distanceToNearest(start)
            for _ in 0..<24 {
                let other = random.point(within: grid.size)
                let distance = distanceToNearest(other)
                if distance > clearance { (start, clearance) = (other, distance) }
            }
            guard clearance > spacing * 0.5 else {
                failures += 1
                continue
            }
            let u = random.uniform()
            // Many thin neurites and some thick ones.
            let radius = min(clearance * 0.7, spacing * (0.16 + 0.3 * u * u))
            let label = UInt32(neurites.count + 1)
            let direction = random.direction()
            let first = Knot(place: start, direction: direction, radius: radius)
            mark(first, label)
            var knots = walk(from: first, label).reversed() + [first]
            knots += walk(from: Knot(place: start, direction: direction * -1, radius: radius), label)
            if random.uniform() < 0.35 {
                var root = knots[knots.count / 2]
                root.direction = random.direction()
                root.radius *= 0.75
                knots += walk(from: root, label)
            }
            neurites.append(Array(knots))
        }
    }

    /// A persistent random walk, to the volume's border or until nothing is free ahead.
    private mutating func walk(from start: Knot, _ label: UInt32) -> [Knot] {
        var knots: [Knot] = []
        var knot = start
        let base = start.radius
        var caliber = 1.0
        let step = 1.0
        while knots.count < 4_000 {
            // The calibre wanders around its mean: varicosities and thin necks.
            caliber = min(1.7, max(0.65, caliber + 0.05 * random.normal() + 0.01 * (1 - caliber)))
            var next: Knot?
            for attempt in 0..<8 {
                let wander = 0.06 + 0.12 * Double(attempt)
                let turn = Point(random.normal(), random.normal(), random.normal()) * wander
                let direction = knot.direction + turn
                guard direction.length > 0.1 else { continue }
                let unit = direction * (1 / direction.length)
                let candidate = Knot(place: knot.place + unit * step, direction: unit, radius: base * caliber)
                if isFree(candidate, for: label) {
                    next = candidate
                    break
                }
            }
            guard let next, isWithin(next.place) else { break }
            mark(next, label)
            knots.append(next)
            knot = next
        }
        return knots
    }

    private func isWithin(_ place: Point) -> Bool {
        let size = grid.size
        return place.z >= 0 && place.y >= 0 && place.x >= 0
            && place.z < size.z && place.y < size.y && place.x < size.x
    }

    /// The part of a neurite that its growth starts from.
    private func coreRadius(_ radius: Double) -> Double {
        max(1.2 * (grid.edge.array.max() ?? 1) / 2, radius * 0.75)
    }

    private func isFree(_ knot: Knot, for label: UInt32) -> Bool {
        var isFree = true
        grid.forEachVoxel(within: coreRadius(knot.radius) + 3, of: knot.place) { index, _ in
            if cores[index] != 0 && cores[index] != label { isFree = false }
        }
        return isFree
    }

    private mutating func mark(_ knot: Knot, _ label: UInt32) {
        let grid = grid
        grid.forEachVoxel(within: coreRadius(knot.radius), of: knot.place) { index, _ in
            if cores[index] == 0 { cores[index] = label }
        }
    }

    private func distanceToNearest(_ place: Point) -> Double {
        var nearest = Double.infinity
        for neurite in neurites {
            for index in stride(from: 0, to: neurite.count, by: 3) {
                let knot = neurite[index]
                nearest = min(nearest, (knot.place - place).length - knot.radius)
            }
        }
        return nearest
    }
}
