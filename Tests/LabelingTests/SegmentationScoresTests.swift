import Foundation
import Labeling
import Testing
import Volumes

private struct ReferenceCase: Decodable {
    let shape: [Int]
    let labels, truth: Int
    let ignoringZero, ignoringNone: [String: Double]

    enum CodingKeys: String, CodingKey {
        case shape, labels, truth
        case ignoringZero = "truth 0"
        case ignoringNone = "none"
    }
}

private func line(_ values: [UInt32]) -> Volume<UInt32> { Volume(shape: ZYX(1, 1, values.count), voxels: values) }

@Suite struct SegmentationScoresTests {
    @Test(arguments: [1, 3])
    func `scores are those of scikit-image`(threads: Int) throws {
        let raw = try reference("scores.raw")
        for item in try json("scores.json", as: [ReferenceCase].self) {
            let labels = raw.volume8(at: item.labels, ZYX(item.shape))
            let truth = raw.volume8(at: item.truth, ZYX(item.shape)).map { $0 == 0 ? 0 : Int64($0) - 1 << 50 }
            for ignoring in [true, false] {
                let scores = try SegmentationScores.evaluate(
                    labels: labels, truth: truth, ignoringTruthZero: ignoring, threads: threads)
                let keys = try JSONDecoder().decode(
                    [String: Score].self, from: JSONEncoder().encode(scores)
                )
                for (key, expected) in ignoring ? item.ignoringZero : item.ignoringNone {
                    let found = try #require(keys[key]?.number, "\(key)")
                    #expect(abs(found - expected) < 1e-9, "\(key)")
                }
                #expect(keys["ignored"]?.text == (ignoring ? "truth 0" : "none"))
            }
        }
    }

    @Test(arguments: SegmentationScores.Convention.allCases.filter { $0 != .skimage })
    func `scores by another convention are those of its program`(convention: SegmentationScores.Convention) throws {
        let raw = try reference("scores.raw")
        let expected = try json("conventions.json", as: [[String: [String: Double]]].self)
        for (item, expected) in zip(try json("scores.json", as: [ReferenceCase].self), expected) {
            let scores = try SegmentationScores.evaluate(
                labels: raw.volume8(at: item.labels, ZYX(item.shape)),
                truth: raw.volume8(at: item.truth, ZYX(item.shape)), convention: convention)
            let keys = try JSONDecoder().decode([String: Score].self, from: JSONEncoder().encode(scores))
            for (key, expected) in try #require(expected[convention.rawValue]) {
                let found = try #require(keys[key]?.number, "\(key)")
                #expect(abs(found - expected) < 1e-9, "\(key)")
            }
            let product = scores.adaptedRandError * (scores.viSplit + scores.viMerge)
            #expect(abs(scores.cremiScore - product.squareRoot()) < 1e-12)
        }
    }

    /// Object 7 is met by four fifths of its union, object 8 by six tenths, object 9 by a half; label 4 meets nothing.
    @Test func `objects match by the part of their union that they share`() throws {
        let labels = line([1, 1, 1, 1, 0, 2, 2, 2, 0, 0, 3, 0, 4])
        let truth = line([7, 7, 7, 7, 7, 8, 8, 8, 8, 8, 9, 9, 0])
        let scores = try SegmentationScores.evaluate(labels: labels, truth: truth)
        let objects = try #require(scores.objects)
        #expect(objects.map(\.iou) == [0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95])
        #expect(objects.map(\.matched) == [3, 2, 2, 1, 1, 1, 1, 0, 0, 0])
        #expect(objects[0].precision == 3.0 / 4 && objects[0].recall == 1 && objects[0].f1 == 6.0 / 7)
        #expect(objects[6].averagePrecision == 1.0 / 6)
        // 3/4, 2/5 twice, 1/6 four times.
        let mean = try #require(scores.meanAveragePrecision)
        let expected = (0.75 + 0.8 + 4.0 / 6) / 10
        #expect(abs(mean - expected) < 1e-12)
        let decoded = try JSONDecoder().decode(SegmentationScores.self, from: JSONEncoder().encode(scores))
        #expect(decoded == scores)
    }

    /// Object 7 is halved, object 8 loses a quarter, and label 1 holds half of 7 and all of 9.
    @Test func `the costliest splits and mergers are named`() throws {
        let labels = line([1, 1, 2, 2, 3, 3, 3, 0, 1, 1, 1, 1, 5, 0])
        let truth = line([7, 7, 7, 7, 8, 8, 8, 8, 9, 9, 9, 9, 0, 0])
        let contingency = try Contingency(labels: labels, truth: truth)
        let worst = WorstErrors(contingency, count: 5)
        #expect(worst.splits.map(\.id) == [7, 8])
        #expect(worst.splits.map(\.voxels) == [4, 4])
        #expect(worst.splits[1].parts.map(\.id) == [3, 0] && worst.splits[1].parts.map(\.voxels) == [3, 1])
        #expect(worst.merges.map(\.id) == [1])
        #expect(worst.merges[0].parts.map(\.id) == [9, 7] && worst.merges[0].parts.map(\.voxels) == [4, 2])
        let scores = try SegmentationScores(contingency)
        #expect(abs(worst.splits.reduce(0) { $0 + $1.bits } - scores.viSplit) < 1e-12)
        #expect(abs(worst.merges.reduce(0) { $0 + $1.bits } - scores.viMerge) < 1e-12)
        #expect(WorstErrors(contingency, count: 1).splits.map(\.id) == [7])
    }

    @Test func `a split costs recall and bits, a merger precision and bits`() throws {
        let whole = line([1, 1, 1, 1])
        let halves = line([5, 5, 9, 9])
        let split = try SegmentationScores.evaluate(labels: halves, truth: whole)
        #expect(split.randPrecision == 1 && split.randRecall == 4.0 / 12)
        #expect(split.viSplit == 1 && split.viMerge == 0)
        #expect(abs(split.adaptedRandError - (1 - 2 * 4.0 / 16)) < 1e-15)
        let merged = try SegmentationScores.evaluate(labels: whole, truth: halves)
        #expect(merged.randPrecision == 4.0 / 12 && merged.randRecall == 1)
        #expect(merged.viSplit == 0 && merged.viMerge == 1)
        #expect(merged.variationOfInformation == 1)
    }

    @Test func `coverage counts truth alone, dice and iou count all voxels`() throws {
        let scores = try SegmentationScores.evaluate(
            labels: line([1, 1, 0, 0, 2, 0]), truth: line([3, 3, 3, 3, 0, 0]))
        #expect(scores.coverage == 0.5)
        #expect(scores.dice == 2 * 2.0 / 7)
        #expect(scores.iou == 2.0 / 5)
        #expect(scores.labelObjects == 2 && scores.truthObjects == 1)
        #expect(scores.voxels == 6 && scores.voxelsCounted == 4)
    }

    /// Labels against a truth, with the share of objects that match: 3 of 4 voxels, a half, and less than a half.
    @Test(
        arguments: [
            ([1, 1, 1, 0, 0, 2], [3, 3, 3, 3, 0, 0], 2.0 * 1 / 3),
            ([5, 5, 9, 9, 0, 0], [3, 3, 3, 3, 0, 0], 2.0 * 1 / 3),
            ([1, 1, 1, 0, 0, 0], [3, 0, 0, 4, 4, 4], 0), ([0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0], 1),
            ([1, 1, 2, 2, 3, 3], [7, 7, 7, 8, 8, 8], 2.0 * 2 / 5),
            ([1, 1, 1, 1, 2, 2], [7, 7, 8, 8, 9, 9], 2.0 * 2 / 5),
        ] as [([UInt32], [UInt32], Double)])
    func `objects match that share half of their union`(labels: [UInt32], truth: [UInt32], f1: Double) throws {
        let scores = try SegmentationScores.evaluate(
            labels: line(labels), truth: line(truth), ignoringTruthZero: false)
        #expect(abs(scores.objectF1 - f1) < 1e-12)
    }

    @Test func `equal volumes are without error, whatever their ids`() throws {
        let truth = randomLabels(ZYX(4, 5, 60), upTo: 30, seed: 1)
        let scores = try SegmentationScores.evaluate(labels: truth.map { UInt64($0) << 33 }, truth: truth)
        #expect(scores.adaptedRandError == 0 && scores.viSplit == 0 && scores.viMerge == 0)
        #expect(scores.dice == 1 && scores.iou == 1 && scores.coverage == 1 && scores.objectF1 == 1)
    }

    @Test func `pieces add up to the whole`() throws {
        let labels = randomLabels(ZYX(7, 20, 31), upTo: 3000, seed: 2)
        let truth = randomLabels(ZYX(7, 20, 31), upTo: 12, seed: 3)
        let whole = try SegmentationScores.evaluate(labels: labels, truth: truth)
        var pieces = Contingency()
        for z in (0..<7).reversed() {
            let section = Box(origin: ZYX(z, 0, 0), shape: ZYX(1, 20, 31))
            try pieces.add(labels: labels.cropped(to: section), truth: truth.cropped(to: section), threads: z + 1)
        }
        #expect(try SegmentationScores(pieces) == whole)
    }

    @Test func `single voxels join no pairs and are no error`() throws {
        let scores = try SegmentationScores.evaluate(labels: line([1, 2]), truth: line([1, 2]))
        #expect(scores.adaptedRandError == 0 && scores.randPrecision == 1 && scores.randRecall == 1)
    }

    @Test func `what cannot be scored is an error`() {
        #expect(throws: LabelingFault.nothingToScore(voxels: 2)) {
            try SegmentationScores.evaluate(labels: line([1, 2]), truth: line([0, 0]))
        }
        #expect(throws: LabelingFault.shapesDiffer("labels", ZYX(1, 1, 1), "truth", ZYX(1, 1, 2))) {
            try SegmentationScores.evaluate(labels: line([1]), truth: line([1, 2]))
        }
    }
}

/// A number or a text in JSON.
private struct Score: Decodable {
    var number: Double?
    var text: String?

    init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        number = try? value.decode(Double.self)
        text = try? value.decode(String.self)
    }
}
