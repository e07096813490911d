import Networks

/// Normalization written out: loops over all elements, in double precision.
struct NormalizationFormula {
    /// `[batch, channel, z, y, x]` or `[batch, channel, y, x]`
    let shape: [Int]
    /// In row-major order.
    let values: [Double]

    struct Statistics: Equatable {
        var mean = 0.0
        var biasedVariance = 0.0
        var unbiasedVariance = 0.0

        init(of values: [Double]) {
            let count = Double(values.count)
            mean = values.reduce(0, +) / count
            let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
            biasedVariance = squares / count
            unbiasedVariance = squares / (count - 1)
        }
    }

    /// Which sample and channel each element belongs to.
    var places: [(sample: Int, channel: Int)] {
        let voxels = shape.dropFirst(2).reduce(1, *)
        return values.indices.map { ($0 / voxels / shape[1], $0 / voxels % shape[1]) }
    }

    /// The statistics of the elements that share a key.
    func statistics<Key: Hashable>(sharedBy key: (_ sample: Int, _ channel: Int) -> Key) -> [Key: Statistics] {
        let keyed = zip(places, values).map { (key($0.sample, $0.channel), $1) }
        return Dictionary(grouping: keyed) { $0.0 }.mapValues { Statistics(of: $0.map(\.1)) }
    }

    /// (x − mean) / √(variance + 1e-5) · scale + shift, with statistics by sample and channel.
    func normalized(
        scale: [Double], shift: [Double], by statistics: (Int, Int) -> (mean: Double, variance: Double)
    ) -> [Double] {
        zip(places, values).map { place, x in
            let (mean, variance) = statistics(place.sample, place.channel)
            return (x - mean) / (variance + 1e-5).squareRoot() * scale[place.channel] + shift[place.channel]
        }
    }

    /// What elements share statistics in training, as its number; groups must divide the channels.
    func cell(_ normalization: Normalization, _ sample: Int, _ channel: Int) -> [Int] {
        switch normalization {
        case .none: [sample, channel]
        case .batch: [channel]
        case .ghost(let virtualBatch): [sample / virtualBatch, channel]
        case .layer: [sample]
        case .group(let groups): [sample, channel / (shape[1] / groups)]
        case .instance: [sample, channel]
        }
    }
}
