/** What can be made to go wrong at one simulated key manager while it runs; each is a deviation seen in the field (KEY-MANAGER). */
export interface KmeFaults {
  /** So many enc_keys/dec_keys answers are lost after the keys have been committed: the connection is reset instead. */
  dropAfterCommit: number;
  /** Milliseconds before each answer. */
  delayMs: number;
  /** enc_keys answers 200 with at most so many keys. */
  shortBatch: number;
  /** So many requests are answered 500 with an HTML page, before anything is committed. */
  htmlError: number;
  /** So many requests are answered `unavailableStatus`, before anything is committed. */
  unavailable: number;
  unavailableStatus: 503 | 504 | 429;
  /** `down`: the key manager cannot reach any other one, so every enc_keys across a link is answered 503. */
  peer: 'up' | 'down';
  /** Spelling of the key container's member. */
  containerMember: 'keys' | 'Keys';
  /** So many enc_keys answers repeat the keys that the same pair of SAEs was given last. */
  redelivery: number;
  /** So many dec_keys answers leave the keys in the store, to be delivered again. */
  keepCollected: number;
  /** So many dec_keys are answered as for keys it does not have: they are at another key manager of the same SAE. */
  notHere: number;
  /** So often a delivering answer is lost after the keys have been committed: 0.05 is one in twenty. `random` decides. */
  lossRate: number;
  connection: 'keep-alive' | 'close';
  /** `off`: max_SAE_ID_count is 0 and additional SAE IDs are refused; `ignored`: it is 0 and they are ignored with 200. */
  multicast: 'on' | 'off' | 'ignored';
  /** `one`: max_key_per_request is 1 and more are refused. */
  keysPerRequest: 'many' | 'one';
  /** Status of "one or more keys specified are not found on KME". */
  notFoundStatus: 400 | 401 | 404 | 500;
  /** Status of an answer for want of keys. */
  exhaustionStatus: 400 | 404 | 503;
  /** A key ID that is the SHA-1 of its key, or a key that is the SHA-256 of its ID. */
  betrayal: 'none' | 'id-from-key' | 'key-from-id';
  /** `one`: a second enc_keys while one is under way for the same link is never answered, and both end in a time-out. */
  atOnce: 'many' | 'one';
  /** What the status says of the stock; `true` as it is. */
  stockTold: 'true' | number;
  /** Requests understood; `get` refuses every POST with 405. */
  verbs: 'both' | 'get';
  /** Every key_IDs entry must carry the master_SAE_ID. */
  masterInKeyIds: 'wanted' | 'ignored';
  /** GET ignores `number` and `size`. */
  getParameters: 'honoured' | 'ignored';
}

export function noFaults(): KmeFaults {
  return {
    dropAfterCommit: 0,
    delayMs: 0,
    shortBatch: Number.POSITIVE_INFINITY,
    htmlError: 0,
    unavailable: 0,
    unavailableStatus: 503,
    peer: 'up',
    containerMember: 'keys',
    redelivery: 0,
    keepCollected: 0,
    notHere: 0,
    lossRate: 0,
    connection: 'keep-alive',
    multicast: 'on',
    keysPerRequest: 'many',
    notFoundStatus: 400,
    exhaustionStatus: 503,
    betrayal: 'none',
    atOnce: 'many',
    stockTold: 'true',
    verbs: 'both',
    masterInKeyIds: 'ignored',
    getParameters: 'honoured',
  };
}

type Countdown = 'dropAfterCommit' | 'htmlError' | 'unavailable' | 'redelivery' | 'keepCollected' | 'notHere';

/** True so many times as the countdown was set to. */
export function strikes(faults: KmeFaults, name: Countdown): boolean {
  if (faults[name] <= 0) return false;
  faults[name] -= 1;
  return true;
}
