import Foundation
import Training
import Volumes

/// A pipeline file of a plan as text, each value with its reason.
struct PipelineText {
    let plan: InitPlan
    /// As from the pipeline file's folder.
    let files: AnnotatedFiles
    let segment: Segment
    let measured: Measured
    /// Whether the number of dimensions was asked for.
    let dimensionsAreAsked: Bool
    /// `auto` is left out.
    let device: String?

    /// What is to be segmented.
    enum Segment: Equatable {
        /// As it was asked for.
        case asked(String, truth: String?)
        /// Files like the image.
        case pattern(String)
        /// The image itself, until something else is said.
        case image

        var inWords: String {
            switch self {
            case .asked(let path, let truth): "segments \(path)" + (truth.map { ", scored against \($0)" } ?? "")
            case .pattern(let pattern):
                "segments \(pattern), all that lies beside the image, unless you name others"
            case .image: "segments the image that is learnt from, until you name others"
            }
        }
    }

    /// What a few steps of training took.
    struct Measured: Equatable {
        var secondsPerStep: Double
        var peakMemory: Int
        /// That could be taken.
        var memory: Int
        /// Why patches are not larger; nil where they are as large as usual.
        var larger: Shortcoming?
        /// That a member trains.
        var minutes: Double
        var members: Int

        /// What is wrong with larger patches.
        enum Shortcoming: String {
            case moreMemory = ", larger ones take more"
            case fewerSteps = "; larger ones leave time for few steps"
        }

        var step: String { String(format: "%.2g s", secondsPerStep) }
        var time: String { Self.duration(minutes) }
        var timeOfAll: String { Self.duration(minutes * Double(members)) }

        private static func duration(_ minutes: Double) -> String {
            switch minutes {
            case ..<1: String(format: "%.0f s", max(1, minutes * 60))
            case ..<90: String(format: "%.0f min", minutes)
            default: String(format: "%.1f h", minutes / 60)
            }
        }
    }

    private static let width = 100

    var text: String {
        (head + voxelSize + resolution + train + target + network + training + ensemble + label + segmentation
            + execution)
            .joined(separator: "\n") + "\n"
    }

    private var facts: DataFacts { plan.facts }
    private var size: VoxelSize { plan.voxelSize }

    private var head: [String] {
        comment(
            "Written by 'segment init' after a look at \(files.image.title) and \(files.labels.title). It is a "
                + "start: change what you know better. The README explains every key.")
            + ["#"]
            + comment(
                "Found: " + ([facts.sizeInWords] + facts.contentInWords).joined(separator: "; ") + ".")
    }

    private var voxelSize: [String] {
        guard let given = files.voxelSize else { return [] }
        let why =
            facts.isSizeContradicted
            ? "Given by --voxel-size; a file says otherwise, and is not believed." : "Given by --voxel-size."
        let sides = sides(given, and: facts.isSizeContradicted ? ", replace: true" : "")
        return [""] + comment(why) + ["voxel_size: \(sides)"]
    }

    private var resolution: [String] {
        guard let resolution = plan.resolution else { return [] }
        return [""]
            + comment(
                "Objects are \(metres(facts.diameter)) across, more than a network sees of these voxels. It "
                    + "works at coarser ones, and labels return to the voxels of the files.")
            + ["resolution: \(sides(resolution, and: ""))"]
    }

    private var train: [String] {
        var lines = ["", "train:", "  - image: \(quoted(files.image.title))"]
        lines.append("    labels: \(quoted(files.labels.title))")
        if let mask = files.mask { lines.append("    mask: \(quoted(mask.title))") }
        switch plan.unlabelled {
        case .none: return lines
        case .zero:
            let why =
                facts.zeroIsUnlabelled
                ? "as --unlabelled said" : "sections without labels are taken for not annotated"
            return lines + ["    unlabelled: 0    # 0 is not annotated: \(why)"]
        case .sections:
            return lines + [
                "    unlabelled: sections    # those without labels are not annotated; in others 0 is outside of objects"
            ]
        }
    }

    private var target: [String] {
        let why: String
        let what: String
        switch facts.kind {
        case .dense:
            why =
                "Objects fill the volume, so that boundaries tell them apart. Affinities help to learn these."
            what = "[boundary, affinities]"
        case .blobs:
            why =
                "There is room between objects: their inside is learnt, and border weights (training.border) "
                + "keep a gap between those that come close."
            what = "foreground"
        case .mask:
            why =
                "All labels have one number, a mask: its inside is learnt, and connected regions become objects. "
                + "To tell objects apart that touch, give each a number of its own ('segment label' does where "
                + "they do not)."
            what = "foreground"
        case .classes:
            why =
                "Few numbers in many separate pieces: classes. Each is learnt by itself, and its connected "
                + "regions become objects. If every number is one object after all, write foreground."
            what = "{classes: [\(facts.ids.map(String.init).joined(separator: ", "))]}"
        }
        return [""] + comment(why) + ["target: \(what)"]
    }

    private var network: [String] {
        let network = plan.network.configuration
        var lines = [""] + comment(reasonOfNetwork) + ["network:", "  architecture: unet"]
        if network.dimensions == 2 { lines.append("  dimensions: 2") }
        let strides =
            network.strides
            ?? Array(repeating: Array(repeating: 2, count: network.dimensions), count: network.levels - 1)
        let coarsest = strides.reduce(Array(plan.training.patch.array.suffix(network.dimensions))) {
            extents, stride in
            zip(extents, stride).map { $0 / $1 }
        }
        lines.append(
            "  levels: \(network.levels)".padding(to: 22)
                + "# a patch has \(coarsest.map(String.init).joined(separator: " × ")) voxels at the coarsest")
        lines.append("  features: \(network.features)".padding(to: 22) + "# at the finest level, doubling at each")
        if let kernels = network.kernels { lines.append("  kernels: \(kernels)") }
        if let strides = network.strides { lines.append("  strides: \(strides)") }
        return lines
    }

    private var reasonOfNetwork: String {
        let factor = String(format: "%.3g", facts.anisotropy)
        guard plan.dimensions == 3 else {
            if dimensionsAreAsked { return "Sections by themselves, as --dimensions said." }
            if facts.shape.z == 1 { return "There is a single section." }
            if facts.isAnnotatedInSections || facts.labelledShape.z <= 2, plan.label.connectivity != .sides {
                return
                    "Sections are annotated one by one, which says nothing of what is between them: the network sees each by "
                    + "itself, and objects are joined where those of neighbouring sections meet."
            }
            return
                "Voxels are \(factor) times longer along z. From \(Int(InitPlan.sectionAnisotropy)) times on "
                + "sections hardly belong together: each is segmented by itself."
        }
        var start = dimensionsAreAsked ? "3D, as --dimensions said. " : ""
        if facts.isAnnotatedInSections, !dimensionsAreAsked {
            start =
                "Sections are annotated one by one; turned in all ways they show a 3D network what lies between them. "
        }
        guard plan.network.configuration.kernels != nil else {
            return start + "Voxels are about as long along all axes, which are convolved and pooled alike."
        }
        return start
            + "As nnU-Net has it: an axis is convolved and pooled only once its voxels are less than twice as "
            + "long as the shortest, and while a patch has 8 voxels along it."
    }

    private var training: [String] {
        let training = plan.training
        let extent = training.patch.zip(size.nanometers) { metres(Double($0) * $1) }.array
        let along =
            plan.dimensions == 3 ? extent.joined(separator: " × ") : "sections of \(extent[1]) × \(extent[2])"
        let memory =
            "measured: \(Bytes.format(measured.peakMemory)) of the \(Bytes.format(measured.memory)) there are"
            + (measured.larger?.rawValue ?? "")
        var lines = [""]
        let reach =
            measured.larger == nil
            ? "Patches reach as far along each axis as the volume allows. " : "Patches are smaller than usual. "
        lines += comment(reach + "Times and memory are those of training steps on this machine.")
        lines.append("training:")
        lines.append("  patch: \(training.patch.array)".padding(to: 26) + "# \(along); \(memory)")
        lines.append("  batch: \(training.batch)")
        lines.append(
            "  steps: \(training.steps)".padding(to: 26)
                + "# \(measured.step) a step: about \(measured.time) a member, \(measured.timeOfAll) for all "
                + "\(measured.members)"
        )
        let usual = TrainingConfiguration()
        func add(_ setting: String, _ why: String) { lines.append("  \(setting)".padding(to: 26) + "# \(why)") }
        if training.learningRate != usual.learningRate {
            add("learning_rate: \(training.learningRate)", "lower than usual: boundaries are thin")
        }
        if training.augmentation != usual.augmentation {
            add(
                "augmentation:",
                "sections differ in noise and focus" + (plan.dimensions == 2 ? ", and there are few" : ""))
            lines.append("    \(training.augmentation.text)")
        }
        if training.foregroundOversampling != usual.foregroundOversampling {
            add("foreground_oversampling: 0", "there are objects everywhere")
        }
        return lines
    }

    private var ensemble: [String] {
        guard plan.ensemble.across == 0 else { return [] }
        return [""]
            + comment(
                "The threshold is chosen on whole sections that no member sees: objects end with their section.")
            + ["ensemble: {across: z}"]
    }

    private var label: [String] {
        let label = plan.label
        let isUsual = label.minimumVoxels == LabelSettings().minimumVoxels
        let why = isUsual ? "smaller ones are debris" : "a tenth of the median object, smaller ones are debris"
        let minimum = "  min_voxels: \(label.minimumVoxels)".padding(to: 26) + "# \(why)"
        let connectivity =
            label.connectivity == .sides
            ? ["  connectivity: 4".padding(to: 26) + "# objects of each section by itself; 6 joins them along z"]
            : []
        guard let regrow = label.regrow else { return ["", "label:"] + connectivity + [minimum] }
        var lines = [""]
        lines += comment(
            regrow.votes == nil
                ? "What all members agree on grows back by about ten voxels to the boundaries."
                : "What all members agree on tells objects apart; they reach as far as most members find them likelier than not."
        )
        lines += ["label:"] + connectivity + [minimum]
        let extent = regrow.votes == nil ? "within: \(length(regrow.reach(size)))" : "votes: majority, above: 0.5"
        lines.append("  regrow: {\(extent), seeds: \(regrow.seeds)}")
        if label.merge != nil {
            lines.append(
                "  merge: {above: auto}".padding(to: 26)
                    + "# the mean affinity that joins, chosen with the threshold")
        }
        return lines
    }

    private var segmentation: [String] {
        let image = plan.dimensions == 2 ? "{image: \(quoted(files.image.title))}" : quoted(files.image.title)
        switch segment {
        case .asked(let path, nil): return ["", "segment:", "  - \(quoted(path))"]
        case .asked(let path, let truth?):
            return ["", "segment:", "  - image: \(quoted(path))", "    truth: \(quoted(truth))"]
        case .pattern(let pattern):
            return ["", "# All that lies beside the image.", "segment:", "  - \(quoted(pattern))"]
        case .image:
            return [""]
                + comment(
                    "Put here what is to be segmented: files, folders or patterns such as volumes/*.tif. Until "
                        + "then it is the image that was learnt from, which says nothing of how others turn out.")
                + ["segment:", "  - \(image)"]
        }
    }

    private var execution: [String] { device.map { ["", "execution: {device: \($0)}"] } ?? [] }

    // MARK: YAML

    private func sides(_ size: VoxelSize, and more: String) -> String {
        let (z, y, x) = (size.nanometers.z, size.nanometers.y, size.nanometers.x)
        return "{z: \(length(z)), y: \(length(y)), x: \(length(x))\(more)}"
    }

    /// In the unit of the files.
    private func length(_ nanometers: Double) -> String {
        String(format: "%.6g", nanometers / size.unit.nanometers) + " " + size.unit.rawValue
    }

    /// As it is where YAML takes it for text, in a mapping in braces too.
    private func quoted(_ text: String) -> String {
        let plain = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/:")
        let first = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ./")
        if text.allSatisfy(plain.contains), text.first.map(first.contains) ?? false, !text.hasSuffix(":") {
            return text
        }
        return "'" + text.replacingOccurrences(of: "'", with: "''") + "'"
    }

    /// A sentence as lines of a comment.
    private func comment(_ text: String) -> [String] {
        var lines = ["#"]
        for word in text.split(separator: " ") {
            if lines[lines.count - 1].count + word.count + 1 > Self.width { lines.append("#") }
            lines[lines.count - 1] += " " + word
        }
        return lines
    }
}

extension String {
    fileprivate func padding(to width: Int) -> String {
        self + String(repeating: " ", count: max(1, width - count))
    }
}
