import Foundation
import Networks
import Training
import Volumes

extension ModelFile {
    /// What is in it, names and values, a line each.
    public var rows: [(String, String)] {
        get throws {
            let file = "\(title), format version \(Self.formatVersion), \(Bytes.format(size))"
            return [("file", file), ("sha-256", digest)] + (try description.rows)
        }
    }

    /// The same for programs.
    public var json: String {
        get throws {
            struct Answer: Encodable {
                let file: String
                let formatVersion: Int
                let sha256: String
                let bytes: Int
                let model: ModelDescription
            }
            let answer = Answer(
                file: title, formatVersion: Self.formatVersion, sha256: digest, bytes: size, model: description)
            return String(decoding: try readableJSON(answer, keys: .convertToSnakeCase), as: UTF8.self)
        }
    }

    private var size: Int { FileStamp(path)?.size ?? 0 }
}

extension ModelDescription {
    fileprivate var rows: [(String, String)] {
        get throws {
            let weights = grouped(try network.graph().parameterCount())
            var rows = [
                ("name", name),
                ("network", "\(network.architecture) in \(network.dimensions)D, \(weights) parameters a member"),
                ("inputs", "\(network.inputChannels)"), ("target", target.names.joined(separator: ", ")),
                ("voxel size", "\(voxelSize)"), ("intensities", normalization.rawValue),
                ("consensus", "agree: \(agree) of \(members.count)"), ("threshold", thresholdText),
                ("label", label.text), ("training", training.text),
            ]
            if let digest = training.startedFrom { rows.append(("started from", "the model of SHA-256 \(digest)")) }
            for (index, member) in members.enumerated() { rows.append(("member \(index + 1)", member.text)) }
            for (volume, scores) in scores.sorted(by: { $0.key < $1.key }) {
                let error = figure(scores.consensus.adaptedRandError)
                let objects = figure(scores.consensus.objectF1)
                rows.append(("scored", "\(volume): adapted Rand error \(error), object F1 \(objects)"))
            }
            return rows
        }
    }

    private var thresholdText: String {
        guard let curve = calibration?.consensus else { return "\(threshold), given" }
        if curve.points.isEmpty { return "\(threshold), since none left an object on the calibration block" }
        let best = curve.best
        return "\(threshold), calibrated: variation of information \(figure(best.variationOfInformation)) bits, "
            + "adapted Rand error \(figure(best.adaptedRandError))"
    }
}

extension ModelDescription.Provenance {
    fileprivate var text: String {
        "\(grouped(steps)) steps, seed \(seed), \(precision.rawValue), by segment \(segment) with libtorch \(libtorch)"
    }
}

extension ModelDescription.Member {
    fileprivate var text: String {
        let training = "\(grouped(steps)) steps\(ending.map { " (\($0.rawValue))" } ?? "")"
        guard let validation else { return training }
        let loss = "\(training), validation loss \(figure(validation.loss))"
        if validation.foundNothing { return loss }
        let error = validation.adaptedRandError.map { ", adapted Rand error \(figure($0))" } ?? ""
        return "\(loss), Dice \(figure(validation.dice))\(error)"
    }
}

private func figure(_ value: Double) -> String { String(format: "%.3f", value) }
