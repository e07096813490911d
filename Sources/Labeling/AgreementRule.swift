/// How many members of an ensemble must find a voxel inside for the consensus to keep it.
public enum AgreementRule: Sendable, Equatable {
    /// Every member.
    case all
    /// More than half of the members.
    case majority
    /// This many members or more.
    case atLeast(Int)
    /// The mean of the members' probabilities reaches the threshold, whatever the votes.
    case mean

    /// Reads `all`, `majority`, `mean` or a number from 1; nil for anything else.
    public init?(_ text: String) {
        switch text {
        case "all": self = .all
        case "majority": self = .majority
        case "mean": self = .mean
        default:
            guard let votes = Int(text), votes >= 1 else { return nil }
            self = .atLeast(votes)
        }
    }

    /// The votes a voxel needs among `members`; nil for `mean`, which counts none.
    ///
    /// - Throws: `LabelingFault.ruleBeyondMembers` where no vote can satisfy the rule.
    public func votesNeeded(of members: Int) throws -> Int? {
        switch self {
        case .all: return members
        case .majority: return members / 2 + 1
        case .mean: return nil
        case .atLeast(let votes):
            guard (1...max(1, members)).contains(votes) else {
                throw LabelingFault.ruleBeyondMembers(self, members: members)
            }
            return votes
        }
    }
}

extension AgreementRule: CustomStringConvertible {
    /// As `init(_:)` reads it.
    public var description: String {
        switch self {
        case .all: "all"
        case .majority: "majority"
        case .mean: "mean"
        case .atLeast(let votes): "\(votes)"
        }
    }
}

extension AgreementRule: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let rule = AgreementRule(text) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "'\(text)' is not all, majority, mean or a number of members")
        }
        self = rule
    }

    /// Encodes as the text that ``init(_:)`` reads.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
