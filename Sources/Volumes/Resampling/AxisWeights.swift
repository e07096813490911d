/// What each target voxel of one axis is made of: neighbouring source voxels, each with its weight.
///
/// Positions and weights follow from a voxel's place in the whole grid, so they do not depend on how that is cut.
struct AxisWeights: Sendable {
    /// The target voxels.
    let targets: Range<Int>
    /// Of each target voxel, the first source voxel.
    private var firsts: [Int] = []
    /// Of each target voxel, where its weights begin; one more at the end.
    private var begins = [0]
    private var weights: [Float] = []

    /// - Parameters:
    ///   - targets: the target voxels asked for, of those that are made of `sources`.
    ///   - sources: all source voxels; beyond them the outermost go on, and areas end.
    ///   - step: the length of a target voxel in source voxels.
    init(_ targets: Range<Int>, of sources: Range<Int>, step: Double, _ kind: Resampling.Kind) {
        self.targets = targets
        for target in targets {
            switch kind {
            case _ where step == 1: single(at: Double(target), sources)
            case .labels: single(at: (Double(target) + 0.5) * step, sources)
            case .intensities where step > 1:
                areas(from: Double(target) * step, to: Double(target + 1) * step, sources)
            case .intensities: neighbours(of: (Double(target) + 0.5) * step - 0.5, sources)
            }
            begins.append(weights.count)
        }
    }

    /// The source voxels of some target voxels.
    func sources(of range: Range<Int>) -> Range<Int> {
        let (first, last) = (range.lowerBound - targets.lowerBound, range.upperBound - 1 - targets.lowerBound)
        return firsts[first]..<firsts[last] + begins[last + 1] - begins[last]
    }

    /// The first source voxel of a target voxel: of labels the only one.
    func first(of target: Int) -> Int { firsts[target - targets.lowerBound] }

    /// The source voxel that a place lies in.
    private mutating func single(at place: Double, _ sources: Range<Int>) {
        firsts.append(min(max(Int(place.rounded(.down)), sources.lowerBound), sources.upperBound - 1))
        weights.append(1)
    }

    /// Those before and behind a place, counted from the middle of the first voxel.
    private mutating func neighbours(of place: Double, _ sources: Range<Int>) {
        let low = place.rounded(.down)
        let first = Int(low)
        guard first >= sources.lowerBound, first + 1 < sources.upperBound else { return single(at: place, sources) }
        firsts.append(first)
        weights += [Float(1 - (place - low)), Float(place - low)]
    }

    /// Those between two places, by how much of them lies there.
    private mutating func areas(from start: Double, to end: Double, _ sources: Range<Int>) {
        // An overlap of less than that is one of rounding.
        let least = 1e-6
        let first = max(sources.lowerBound, Int((start + least).rounded(.down)))
        let last = min(sources.upperBound - 1, Int((end - least).rounded(.up)) - 1)
        let areas = (first...last).map { min(end, Double($0 + 1)) - max(start, Double($0)) }
        let whole = areas.reduce(0, +)
        firsts.append(first)
        weights += areas.map { Float($0 / whole) }
    }

    /// Weighted sums along the middle axis of values [outer, sources, inner].
    ///
    /// - Parameter range: the target voxels; the values are those of `sources(of: range)`.
    /// - Returns: values [outer, range, inner].
    func sums(_ values: [Float], outer: Int, inner: Int, _ range: Range<Int>) -> [Float] {
        let sources = sources(of: range)
        return [Float](unsafeUninitializedCapacity: outer * range.count * inner) { sums, count in
            count = outer * range.count * inner
            guard let sums = sums.baseAddress else { return }
            values.withUnsafeBufferPointer { values in
                guard let values = values.baseAddress else { return }
                for block in 0..<outer {
                    let from = values + block * sources.count * inner
                    let to = sums + block * range.count * inner
                    if inner == 1 {
                        addVoxels(from - sources.lowerBound, range, to)
                    } else {
                        addRows(from - sources.lowerBound * inner, range, length: inner, to)
                    }
                }
            }
        }
    }

    private func addVoxels(_ values: UnsafePointer<Float>, _ range: Range<Int>, _ sums: UnsafeMutablePointer<Float>)
    {
        weights.withUnsafeBufferPointer { weights in
            for target in range {
                let place = target - targets.lowerBound
                let (begin, values) = (begins[place], values + firsts[place])
                var sum: Float = 0
                for tap in 0..<begins[place + 1] - begin { sum += weights[begin + tap] * values[tap] }
                sums[target - range.lowerBound] = sum
            }
        }
    }

    private func addRows(
        _ values: UnsafePointer<Float>, _ range: Range<Int>, length: Int, _ sums: UnsafeMutablePointer<Float>
    ) {
        for target in range {
            let place = target - targets.lowerBound
            let sum = sums + (target - range.lowerBound) * length
            for tap in 0..<begins[place + 1] - begins[place] {
                let weight = weights[begins[place] + tap]
                let row = values + (firsts[place] + tap) * length
                if tap == 0 {
                    for x in 0..<length { sum[x] = weight * row[x] }
                } else {
                    for x in 0..<length { sum[x] += weight * row[x] }
                }
            }
        }
    }
}
