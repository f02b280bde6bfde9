/**
 * Deliberate faults: each is one change to `src`, and names the test that has to notice it. `faults` has a file for each
 * file of `src/internal`, one for the other modules and one for those of testing.
 */
import type { Break } from "./break.ts"
import { faults as coreOf } from "./faults/coreOf.ts"
import { faults as engineAcquiring } from "./faults/engine/acquiring.ts"
import { faults as engineCore } from "./faults/engine/core.ts"
import { faults as engineCurrent } from "./faults/engine/current.ts"
import { faults as engineHooks } from "./faults/engine/hooks.ts"
import { faults as engineMutation } from "./faults/engine/mutation.ts"
import { faults as engineParts } from "./faults/engine/parts.ts"
import { faults as enginePopulation } from "./faults/engine/population.ts"
import { faults as engineRead } from "./faults/engine/read.ts"
import { faults as engineRuns } from "./faults/engine/runs.ts"
import { faults as engineSequence } from "./faults/engine/sequence.ts"
import { faults as engineTogether } from "./faults/engine/together.ts"
import { faults as engineTransaction } from "./faults/engine/transaction.ts"
import { faults as engineWaiting } from "./faults/engine/waiting.ts"
import { faults as featuresAddHooks } from "./faults/features/addHooks.ts"
import { faults as featuresCooldown } from "./faults/features/cooldown.ts"
import { faults as featuresHookOrder } from "./faults/features/hookOrder.ts"
import { faults as featuresInvariant } from "./faults/features/invariant.ts"
import { faults as featuresLate } from "./faults/features/late.ts"
import { faults as featuresLayers } from "./faults/features/layers.ts"
import { faults as featuresLeavingOut } from "./faults/features/leavingOut.ts"
import { faults as featuresLive } from "./faults/features/live.ts"
import { faults as featuresOffered } from "./faults/features/offered.ts"
import { faults as featuresReconcile } from "./faults/features/reconcile.ts"
import { faults as featuresRefresh } from "./faults/features/refresh.ts"
import { faults as featuresTold } from "./faults/features/told.ts"
import { faults as featuresWatch } from "./faults/features/watch.ts"
import { faults as modules } from "./faults/modules.ts"
import { faults as operationsBringBack } from "./faults/operations/bringBack.ts"
import { faults as operationsInstall } from "./faults/operations/install.ts"
import { faults as operationsPopulate } from "./faults/operations/populate.ts"
import { faults as operationsRegister } from "./faults/operations/register.ts"
import { faults as operationsReset } from "./faults/operations/reset.ts"
import { faults as operationsUnregister } from "./faults/operations/unregister.ts"
import { faults as operationsUnregisterEach } from "./faults/operations/unregisterEach.ts"
import { faults as operationsUpkeep } from "./faults/operations/upkeep.ts"
import { faults as sharedAcquirers } from "./faults/shared/acquirers.ts"
import { faults as sharedAppending } from "./faults/shared/appending.ts"
import { faults as sharedChores } from "./faults/shared/chores.ts"
import { faults as sharedContact } from "./faults/shared/contact.ts"
import { faults as sharedFold } from "./faults/shared/fold.ts"
import { faults as sharedFollowing } from "./faults/shared/following.ts"
import { faults as sharedHistory } from "./faults/shared/history.ts"
import { faults as sharedJournal } from "./faults/shared/journal.ts"
import { faults as sharedLoading } from "./faults/shared/loading.ts"
import { faults as sharedLogs } from "./faults/shared/logs.ts"
import { faults as sharedReplaying } from "./faults/shared/replaying.ts"
import { faults as sharedReplica } from "./faults/shared/replica.ts"
import { faults as sharedState } from "./faults/shared/state.ts"
import { faults as sharedSyncing } from "./faults/shared/syncing.ts"
import { faults as sharedWriting } from "./faults/shared/writing.ts"
import { faults as storeCheck } from "./faults/store/check.ts"
import { faults as storeContents } from "./faults/store/contents.ts"
import { faults as storeDefinition } from "./faults/store/definition.ts"
import { faults as storeEntry } from "./faults/store/entry.ts"
import { faults as storeIndex } from "./faults/store/index.ts"
import { faults as storeKey } from "./faults/store/key.ts"
import { faults as storeKeyMap } from "./faults/store/keyMap.ts"
import { faults as storeListing } from "./faults/store/listing.ts"
import { faults as storeMatching } from "./faults/store/matching.ts"
import { faults as storeRoom } from "./faults/store/room.ts"
import { faults as storeSame } from "./faults/store/same.ts"
import { faults as storeUpdate } from "./faults/store/update.ts"
import { faults as storeWording } from "./faults/store/wording.ts"
import { faults as testing } from "./faults/testing.ts"

export const breaks: ReadonlyArray<Break> = [
  ...coreOf,
  ...engineAcquiring,
  ...engineCore,
  ...engineCurrent,
  ...engineHooks,
  ...engineMutation,
  ...engineParts,
  ...enginePopulation,
  ...engineRead,
  ...engineRuns,
  ...engineSequence,
  ...engineTogether,
  ...engineTransaction,
  ...engineWaiting,
  ...featuresAddHooks,
  ...featuresCooldown,
  ...featuresHookOrder,
  ...featuresInvariant,
  ...featuresLate,
  ...featuresLayers,
  ...featuresLeavingOut,
  ...featuresLive,
  ...featuresOffered,
  ...featuresReconcile,
  ...featuresRefresh,
  ...featuresTold,
  ...featuresWatch,
  ...modules,
  ...operationsBringBack,
  ...operationsInstall,
  ...operationsPopulate,
  ...operationsRegister,
  ...operationsReset,
  ...operationsUnregister,
  ...operationsUnregisterEach,
  ...operationsUpkeep,
  ...sharedAcquirers,
  ...sharedAppending,
  ...sharedChores,
  ...sharedContact,
  ...sharedFold,
  ...sharedFollowing,
  ...sharedHistory,
  ...sharedJournal,
  ...sharedLoading,
  ...sharedLogs,
  ...sharedReplaying,
  ...sharedReplica,
  ...sharedState,
  ...sharedSyncing,
  ...sharedWriting,
  ...storeCheck,
  ...storeContents,
  ...storeDefinition,
  ...storeEntry,
  ...storeIndex,
  ...storeKey,
  ...storeKeyMap,
  ...storeListing,
  ...storeMatching,
  ...storeRoom,
  ...storeSame,
  ...storeUpdate,
  ...storeWording,
  ...testing
]
