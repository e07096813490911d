/// How many objects match one of the truth, in that they share at least a part of their union with it.
public struct ObjectMatches: Codable, Sendable, Equatable {
    /// That part, 0.5 or more, so that no object matches two.
    public var iou: Double
    public var matched: Int
    /// Objects among the labels.
    public var labels: Int
    /// Objects of the truth.
    public var truths: Int

    /// matched / labels; 1 where there are none.
    public var precision: Double { labels > 0 ? Double(matched) / Double(labels) : 1 }
    /// matched / truth objects; 1 where there are none.
    public var recall: Double { truths > 0 ? Double(matched) / Double(truths) : 1 }
    /// 2 × matched / (labels + truth objects); 1 where there are none at all (Caicedo et al. 2019).
    public var f1: Double { labels + truths > 0 ? 2 * Double(matched) / Double(labels + truths) : 1 }
    /// matched / (labels + truth objects - matched), which StarDist and Cellpose call average precision; 1 where there are
    /// none at all.
    public var averagePrecision: Double {
        labels + truths > 0 ? Double(matched) / Double(labels + truths - matched) : 1
    }

    /// From a half to 95 % in steps of 5 %.
    static func all(of pairs: [PairCounts.Pair]) -> [ObjectMatches] {
        var (labels, truths): ([UInt64: UInt64], [UInt64: UInt64]) = ([:], [:])
        for pair in pairs {
            if pair.label != 0 { labels[pair.label, default: 0] += pair.count }
            if pair.truth != 0 { truths[pair.truth, default: 0] += pair.count }
        }
        // Where two halves share an object evenly, one of them counts.
        var (taken, found): (Set<UInt64>, Set<UInt64>) = ([], [])
        var matches: [(shared: UInt64, union: UInt64)] = []
        for pair in pairs where pair.label != 0 && pair.truth != 0 {
            let union = (labels[pair.label] ?? 0) + (truths[pair.truth] ?? 0) - pair.count
            if 2 * pair.count >= union, !taken.contains(pair.label), !found.contains(pair.truth) {
                taken.insert(pair.label)
                found.insert(pair.truth)
                matches.append((pair.count, union))
            }
        }
        return stride(from: 50, through: 95, by: 5).map { percent in
            ObjectMatches(
                iou: Double(percent) / 100,
                matched: matches.count { $0.shared * 100 >= $0.union * UInt64(percent) },
                labels: labels.count, truths: truths.count)
        }
    }

    enum CodingKeys: String, CodingKey {
        case iou, matched, labels, truths, precision, recall, f1
        case averagePrecision = "average_precision"
    }

    init(iou: Double, matched: Int, labels: Int, truths: Int) {
        (self.iou, self.matched, self.labels, self.truths) = (iou, matched, labels, truths)
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        iou = try values.decode(Double.self, forKey: .iou)
        matched = try values.decode(Int.self, forKey: .matched)
        labels = try values.decode(Int.self, forKey: .labels)
        truths = try values.decode(Int.self, forKey: .truths)
    }

    /// With what follows from the counts, for people.
    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(iou, forKey: .iou)
        try values.encode(matched, forKey: .matched)
        try values.encode(labels, forKey: .labels)
        try values.encode(truths, forKey: .truths)
        try values.encode(precision, forKey: .precision)
        try values.encode(recall, forKey: .recall)
        try values.encode(f1, forKey: .f1)
        try values.encode(averagePrecision, forKey: .averagePrecision)
    }
}
