import Diagnosis
import Foundation
import Reports
import Testing

@Suite struct PathExplanationTests {
    /// Paths by length, all of one norm.
    private func paths(_ counts: [Int], blocks: Int, at place: GradientPaths.Place) throws -> GradientPaths {
        let lengths = counts.enumerated().map {
            "{\"length\": \($0), \"paths\": \($1), \"followed\": 1, \"meanNorm\": 1}"
        }
        let json = """
            {"network": "chain", "blocks": \(blocks), "place": "\(place.rawValue)", "norm": 1, "sumError": 2e-8,
             "lengths": [\(lengths.joined(separator: ", "))]}
            """
        return try JSONDecoder().decode(GradientPaths.self, from: Data(json.utf8))
    }

    /// Numbers of paths through so many free blocks, by length: Pascal's triangle.
    private func row(_ blocks: Int) -> [Int] {
        (0..<blocks).reduce([1]) { row, _ in zip([0] + row, row + [0]).map(+) }
    }

    @Test(
        "Chains have twice as many paths with every block, half of them from the first block's result",
        arguments: [
            (
                1, "1 residual block makes 2 paths",
                "and 1 from the first block's result; the latter is shown. It passes"
            ),
            (
                2, "2 residual blocks make 2² = 4 paths",
                "and 2 from the first block's result; the latter are shown. "
                    + "Most frequent are those through 0 and 1 of at most 1 branch."
            ),
            (
                3, "3 residual blocks make 2³ = 8 paths",
                "and 2² = 4 from the first block's result; the latter are shown. "
                    + "Most frequent are those through 1 of at most 2 branches."
            ),
            (
                8, "8 residual blocks make 2⁸ = 256 paths",
                "and 2⁷ = 128 from the first block's result; the latter are "
                    + "shown. Most frequent are those through 3 and 4 of at most 7 branches."
            ),
            (
                20, "20 residual blocks make 2²⁰ ≈ 10⁶ paths",
                "and 2¹⁹ = 524288 from the first block's result; "
                    + "the latter are shown. Most frequent are those through 9 and 10 of at most 19 branches."
            ),
        ])
    func chains(blocks: Int, whole: String, part: String) throws {
        let text = try paths(row(blocks - 1), blocks: blocks, at: .firstBlock).finding
        #expect(text.hasPrefix(whole + " from the network's input to its output, " + part), "\(text)")
        let input = try paths(row(blocks), blocks: blocks, at: .input).finding
        #expect(input.hasPrefix(whole + " from the network's input to its output. "), "\(input)")
        #expect(text.contains("to a relative 10⁻⁷."))
    }

    @Test func `many paths are counted to two digits`() throws {
        let text = try paths(row(26), blocks: 27, at: .firstBlock).finding
        #expect(text.hasPrefix("27 residual blocks make 2²⁷ ≈ 1.3·10⁸ paths"), "\(text)")
        #expect(text.contains("and 2²⁶ ≈ 6.7·10⁷ from the first block's result"))
    }

    @Test func `skips are named where they make more paths`() throws {
        // Two levels with one block a stage: (1 + x)(2 + x) from the first block.
        let text = try paths([2, 3, 1], blocks: 3, at: .firstBlock).finding
        #expect(
            text.hasPrefix("3 residual blocks make, with the network's other forks such as skips, 6 paths from"))
        #expect(!text.contains("2³") && !text.contains("ensemble"))
        #expect(text.contains("those through 1 of at most 2 branches"))
    }

    @Test func `the lengths that carry nine tenths are the fewest`() throws {
        // Of 100, 91 lie at lengths 2 to 4.
        let text = try paths([2, 3, 20, 50, 21, 2, 1, 1], blocks: 9, at: .firstBlock).finding
        #expect(text.contains("by paths of lengths 2 to 4, so a deep residual network behaves like an ensemble"))
        #expect(try paths([1, 99], blocks: 2, at: .firstBlock).finding.contains("by paths of length 1."))
    }
}
