import Labeling
import Testing
import Volumes

private func volume(_ logits: [Float]) -> Volume<Int16> {
    Volume(shape: ZYX(1, 1, logits.count), voxels: logits.map(LogitScale.encode))
}

@Suite struct ConsensusTests {
    /// Three members, five voxels.
    private let members = [
        volume([5, 5, 5, -2, 3.5]),
        volume([4, 4, 1, -3, 9]),
        volume([6, 2, 0, -4, 3.4]),
    ]
    private let threshold = Threshold(logit: 4)

    @Test(arguments: [
        (AgreementRule.all, [1, 0, 0, 0, 0] as [UInt8], [4, 2, 0, -4, 3.4] as [Float]),
        (.majority, [1, 1, 0, 0, 0], [5, 4, 1, -3, 3.5]),
        (.atLeast(1), [1, 1, 1, 0, 1], [6, 5, 5, -2, 9]), (.atLeast(3), [1, 0, 0, 0, 0], [4, 2, 0, -4, 3.4]),
    ])
    func `a voxel is kept where enough members vote`(rule: AgreementRule, mask: [UInt8], agreed: [Float]) throws {
        let found = try consensus(of: members, rule: rule, threshold: threshold, threads: 2)
        #expect(found.mask.voxels == mask)
        #expect(found.votes.voxels == [3, 2, 1, 0, 1])
        #expect(found.logits.voxels == agreed.map(LogitScale.encode))
    }

    @Test func `mean compares the mean of probabilities`() throws {
        // Probabilities 0.982 0.982 0.5: mean 0.821, though the mean logit is that of 0.935.
        let three = [volume([4]), volume([4]), volume([0])]
        let at = { (probability: Double) in
            try consensus(of: three, rule: .mean, threshold: #require(Threshold(probability: probability)))
        }
        #expect(try at(0.82).mask.voxels == [1])
        #expect(try at(0.83).mask.voxels == [0])
        #expect(try at(0.83).votes.voxels == [2])
        let mean = LogitScale.decode(try at(0.83).logits.voxels[0])
        #expect(abs(Threshold(logit: Double(mean)).probability - (0.98201 + 0.98201 + 0.5) / 3) < 1e-4)
    }

    @Test(arguments: 1...5)
    func `members that all sit at the threshold reach it under every rule`(count: Int) throws {
        let same = [Volume<Int16>](repeating: volume([3.75, 3.749]), count: count)
        for rule in [AgreementRule.all, .majority, .mean, .atLeast(count)] {
            #expect(try consensus(of: same, rule: rule, threshold: Threshold(logit: 3.75)).mask.voxels == [1, 0])
        }
    }

    @Test func `unanimity is the minimum above the threshold, for every number of threads`() throws {
        var generator = SeededGenerator(state: 3)
        let shape = ZYX(3, 50, 333)
        let logits = (0..<5).map { _ in
            Volume<Int16>(
                shape: shape,
                voxels: (0..<shape.count).map { _ in
                    Int16.random(in: -500...5000, using: &generator)
                })
        }
        let found = try consensus(of: logits, rule: .all, threshold: Threshold(logit: 1), threads: 1)
        #expect(found.mask.voxels == found.logits.voxels.map { $0 >= 1024 ? 1 : 0 })
        #expect(found.mask.voxels == found.votes.voxels.map { $0 == 5 ? 1 : 0 })
        for needed in 1...5 {
            let agreed = try consensusLogits(of: logits, rule: .atLeast(needed), threads: 2)
            #expect(
                agreed.voxels.indices.allSatisfy { voxel in
                    agreed.voxels[voxel] == logits.map { $0.voxels[voxel] }.sorted(by: >)[needed - 1]
                })
        }
        for threads in [2, 7] {
            let again = try consensus(of: logits, rule: .all, threshold: Threshold(logit: 1), threads: threads)
            #expect(again == found)
        }
    }

    @Test func `a threshold beyond the scale is reached by none or by all`() throws {
        let both = [volume([40, -40])]
        #expect(try consensus(of: both, rule: .all, threshold: Threshold(logit: 50)).mask.voxels == [0, 0])
        #expect(try consensus(of: both, rule: .all, threshold: Threshold(logit: -50)).mask.voxels == [1, 1])
    }

    @Test func `wrong members are errors that say what is wrong`() {
        #expect(throws: LabelingFault.noMembers) { try consensus(of: [], rule: .all, threshold: threshold) }
        #expect(throws: LabelingFault.ruleBeyondMembers(.atLeast(4), members: 3)) {
            try consensus(of: members, rule: .atLeast(4), threshold: threshold)
        }
        #expect(throws: LabelingFault.shapesDiffer("member 1", ZYX(1, 1, 1), "member 2", ZYX(1, 1, 2))) {
            try consensus(of: [volume([0]), volume([0, 0])], rule: .all, threshold: threshold)
        }
        #expect(
            "\(LabelingFault.ruleBeyondMembers(.atLeast(4), members: 3))"
                == "the rule '4' cannot hold with 3 members; expected 1 to 3")
    }
}

@Suite struct ThresholdTests {
    @Test func `thresholds near one stay apart and say both numbers`() throws {
        let thresholds = try [0.98, 0.99, 0.9995].map { try #require(Threshold(probability: $0)) }
        #expect(
            thresholds.map(\.description) == [
                "probability 0.98 (logit 3.8918)", "probability 0.99 (logit 4.5951)",
                "probability 0.9995 (logit 7.6004)",
            ])
        #expect(abs(thresholds[0].probability - 0.98) < 1e-12)
        #expect(Threshold(logit: 4).description == "probability 0.982 (logit 4.0)")
        let between = [Volume(shape: ZYX(1, 1, 1), voxels: [LogitScale.encode(4.2)])]
        #expect(try consensus(of: between, rule: .all, threshold: thresholds[0]).mask.voxels == [1])
        #expect(try consensus(of: between, rule: .all, threshold: thresholds[1]).mask.voxels == [0])
    }

    @Test(arguments: [0, 1, -0.5, 1.5, Double.nan])
    func `a probability lies between 0 and 1`(probability: Double) {
        #expect(Threshold(probability: probability) == nil)
    }

    @Test func `stored logits are within half a unit and clamp at the ends`() {
        for logit in stride(from: Float(-31.9), to: 31.9, by: 0.37) {
            #expect(abs(LogitScale.decode(LogitScale.encode(logit)) - logit) <= 0.5 / 1024)
        }
        #expect(LogitScale.encode(1000) == LogitScale.encode(31.99))
        #expect(LogitScale.encode(-.infinity) == -LogitScale.encode(31.99))
        #expect(LogitScale.encode(.nan) == LogitScale.encode(-1000))
    }

    @Test(arguments: ["all", "majority", "mean", "1", "4"])
    func `a rule is written as it is read`(text: String) throws {
        #expect(try #require(AgreementRule(text)).description == text)
    }

    @Test(arguments: ["", "most", "0", "-1", "2.5", "All"])
    func `anything else is no rule`(text: String) {
        #expect(AgreementRule(text) == nil)
    }
}
