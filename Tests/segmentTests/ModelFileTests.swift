import Foundation
import TestSupport
import Testing

/// A model is one file that holds what segmenting takes, and no other file passes for one.
struct ModelFileTests {
    private let trained: TrainedModel
    private let folder = ScratchFolder()

    init() throws { trained = try TrainedModel.shared.get() }

    /// The weights of the trained members, in no order.
    private func weights() throws -> [SafetensorsHeader] {
        let train = trained.home.path + "/work/train/train"
        return try FileManager.default.contentsOfDirectory(atPath: train).map {
            try SafetensorsHeader(trained.home.data("work/train/train/\($0)/weights.safetensors"))
        }
    }

    @Test func itHoldsTheWeightsOfTheMembersAndNoOtherBytes() throws {
        let model = try SafetensorsHeader(trained.model)
        let members = try weights()
        let names = Set(members[0].tensors.keys)
        #expect(Set(model.tensors.keys) == Set(names.flatMap { ["member0/\($0)", "member1/\($0)"] }))
        for member in ["member0", "member1"] {
            let own = Dictionary(uniqueKeysWithValues: names.map { ($0, model.tensors["\(member)/\($0)"]!) })
            #expect(members.contains { $0.tensors == own })
        }
        let header = trained.model.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
        #expect(trained.model.count == 8 + header + model.tensors.values.reduce(0) { $0 + $1.count })
        #expect(Set(model.metadata.keys) == ["digest", "format", "format_version", "model"])
        let description = Data((model.metadata["model"] ?? "").utf8)
        let said = try JSONSerialization.jsonObject(with: description) as? [String: Any]
        #expect(
            Set((said ?? [:]).keys) == [
                "agree", "calibration", "label", "members", "name", "network", "normalization", "precision",
                "prediction", "scores",
                "target", "threshold", "training", "voxelSize",
            ])
        #expect(!String(decoding: description, as: UTF8.self).contains(".tif"))
    }

    @Test func theSamePipelineGivesTheSameFile() throws {
        let again = try Program.run(
            "model", "export", "train.yaml", "-o", "again.segmodel", in: trained.home.path)
        #expect(again.code == 0, "\(again.words)")
        #expect(try trained.home.data("again.segmodel") == trained.model)
        let occupied = try Program.run(
            "model", "export", "train.yaml", "-o", "again.segmodel", in: trained.home.path)
        #expect(occupied.code == 1)
        #expect(occupied.complaints.contains("again.segmodel: is there already; --overwrite replaces it"))
        let replaced = try Program.run(
            "model", "export", "train.yaml", "-o", "again.segmodel", "--overwrite", in: trained.home.path)
        #expect(replaced.code == 0, "\(replaced.words)")
    }

    @Test func infoShowsWhatIsInIt() throws {
        let text = try Program.run("model", "info", "m.segmodel", in: trained.home.path)
        #expect(text.code == 0, "\(text.words)")
        for expected in [
            "unet in 3D", "z 20 × y 10 × x 11 nm", "agree: 1 of 2", "calibrated", "150 steps, seed 1, f32",
            "member 2      150 steps, validation loss", "test: adapted Rand error",
            "connectivity: 26, min_voxels: 4\n",
        ] {
            #expect(text.output.contains(expected), "\(expected) in \(text.words)")
        }
        let ending = try Program.run("model", "info", "m.segmodel", "--json", in: trained.home.path)
        let json = try JSONSerialization.jsonObject(with: Data(ending.output.utf8)) as? [String: Any]
        #expect(json?["format_version"] as? Int == 1)
        let model = try #require(json?["model"] as? [String: Any])
        #expect((model["members"] as? [Any])?.count == 2)
        #expect(model["agree"] as? String == "1")
        #expect((model["label"] as? [String: Any])?["connectivity"] as? Int == 26)
    }

    @Test func membersMustBeTrained() throws {
        let folder = try trained.folder()
        try folder.write("new.yaml", TrainedModel.pipeline)
        let ending = try Program.run("model", "export", "new.yaml", "-o", "new.segmodel", in: folder.path)
        #expect(ending.code == 1)
        #expect(
            ending.complaints
                == "error: new.yaml: 2 of 2 members are not trained yet; run 'segment run new.yaml' first\n")
        try folder.write("with.yaml", "model: m.segmodel\nsegment: test.tif\n")
        let other = try Program.run("model", "export", "with.yaml", "-o", "new.segmodel", in: folder.path)
        #expect(other.complaints.contains("with.yaml: trains nothing: its members are those of m.segmodel"))
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/new.segmodel"))
    }

    /// What may become of a file on its way.
    enum Damage: CaseIterable {
        case empty, header, half, lastByte, length, version, voxels, weight, newer, foreign, network

        func made(of model: Data, weights: Data) -> Data {
            var data = model
            func flip(_ offset: Int) { data[offset] ^= 1 }
            func place(of words: String) -> Int { model.range(of: Data(words.utf8))?.upperBound ?? 0 }
            switch self {
            case .empty: return Data()
            case .header: return model.prefix(1000)
            case .half: return model.prefix(model.count / 2)
            case .lastByte: return model.prefix(model.count - 1)
            case .length: flip(1)
            case .version: flip(place(of: #""format_version":""#))
            case .voxels: flip(place(of: #"\"voxelSize\":{\"nanometers\":{\"x\":"#))
            case .weight: flip(model.count - 5)
            case .newer: data[place(of: #""format_version":""#)] = UInt8(ascii: "2")
            case .foreign: return Data("no model at all, but text of some length".utf8)
            case .network: return weights
            }
            return data
        }

        var problem: String {
            switch self {
            case .empty: "is no safetensors file: 0 bytes, expected at least 8"
            case .header, .half, .lastByte: "is truncated"
            case .length: "expected a model that 'segment model export' wrote"
            case .version: "format version 0, but segment"
            case .voxels, .weight: "is damaged: the SHA-256 of its content is"
            case .newer: "format version 2, but segment 0.1.0 reads version 1; update segment"
            case .foreign: "is no safetensors file"
            case .network: "is a safetensors file, but no model"
            }
        }
    }

    @Test(arguments: Damage.allCases)
    func anotherFileIsRefusedInOneLine(damage: Damage) throws {
        let member = try FileManager.default.contentsOfDirectory(
            atPath: trained.home.path + "/work/train/train")[0]
        let weights = try trained.home.data("work/train/train/\(member)/weights.safetensors")
        try folder.write("m.segmodel", damage.made(of: trained.model, weights: weights))
        try folder.write("with.yaml", "name: with\nmodel: m.segmodel\nsegment: test.tif\n")
        try folder.write("test.tif", "")
        for (arguments, place) in [
            (["model", "info", "m.segmodel"], "error: m.segmodel: "),
            (["run", "with.yaml"], "error: with.yaml:2: m.segmodel: "),
        ] {
            let ending = try Program.wait(for: Program.start(arguments, in: folder.path))
            #expect(ending.code == 1)
            #expect(ending.complaints.hasPrefix(place), "\(ending.words)")
            #expect(ending.complaints.contains(damage.problem), "\(ending.words)")
            #expect(ending.words.split(separator: "\n").count == 1, "\(ending.words)")
        }
    }

    @Test(arguments: Array(stride(from: 0, to: 3000, by: 211)))
    func aFileCutAnywhereIsRefused(length: Int) throws {
        try folder.write("m.segmodel", trained.model.prefix(length))
        let ending = try Program.run("model", "info", "m.segmodel", in: folder.path)
        #expect(ending.code == 1)
        #expect(ending.complaints.hasPrefix("error: m.segmodel: is "), "\(ending.words)")
        #expect(ending.words.split(separator: "\n").count == 1)
    }
}
