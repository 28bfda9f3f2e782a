// Quotes each pool with its venue's SDK, swaps there, and prints the results: one JSON document per line.
//
//   node trade.mjs HTTP_URL WS_URL SEED REQUESTS
//
// SEED is the wallet's, in hex; REQUESTS is [{kind, pool, mintIn, mintOut, amountIn}, ...].

import { createRequire } from "node:module"

const require = createRequire(import.meta.url)
const { ComputeBudgetProgram, Connection, Keypair, PublicKey, sendAndConfirmTransaction } = require("@solana/web3.js")
const BN = require("bn.js")
const { CpAmm } = require("@meteora-ag/cp-amm-sdk")
const dlmm = require("@meteora-ag/dlmm")
const { CurveCalculator, PoolUtils, Raydium, TxVersion } = require("@raydium-io/raydium-sdk-v2")

const DLMM = dlmm.default ?? dlmm
const SOL = "So11111111111111111111111111111111111111112"
const TOKEN = new PublicKey("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA")
const [url, wsEndpoint, seed, requests] = process.argv.slice(2)
const connection = new Connection(url, { commitment: "confirmed", wsEndpoint })
const owner = Keypair.fromSeed(Buffer.from(seed, "hex"))
const print = (result) => process.stdout.write(JSON.stringify(result) + "\n")
console.log = () => {}  // the SDKs log to standard output

const EMPTY = Object.fromEntries(["positive", "negative"].map((side) => [
  `${side}TickArrayBitmap`, Array.from({ length: 14 }, () => Array.from({ length: 8 }, () => new BN(0))),
]))  // of a pool whose ticks fit into its own account's bitmap

// Each returns its quote, and a function that swaps at it.
const venues = {
  async meteora_dlmm(pool, { mintIn, mintOut, amountIn }) {
    const pair = await DLMM.create(connection, pool)
    const swapForY = pair.tokenX.publicKey.toBase58() === mintIn
    const quote = pair.swapQuote(amountIn, swapForY, new BN(0), await pair.getBinArrayForSwap(swapForY))
    const swap = async () => send(await pair.swap({
      inToken: new PublicKey(mintIn), outToken: new PublicKey(mintOut), inAmount: amountIn,
      minOutAmount: quote.outAmount, lbPair: pool, user: owner.publicKey, binArraysPubkey: quote.binArraysPubkey,
    }))
    return [quote.outAmount, swap]
  },

  async meteora_damm_v2(pool, { mintIn, mintOut, amountIn }) {
    const amm = new CpAmm(connection)
    const poolState = await amm.fetchPoolState(pool)
    const currentSlot = await connection.getSlot()
    const currentTime = await connection.getBlockTime(currentSlot)
    const quote = amm.getQuote({
      inAmount: amountIn, inputTokenMint: new PublicKey(mintIn), slippage: 0, poolState, currentTime, currentSlot,
    })
    const swap = async () => send(await amm.swap({
      payer: owner.publicKey, pool, inputTokenMint: new PublicKey(mintIn), outputTokenMint: new PublicKey(mintOut),
      amountIn, minimumAmountOut: quote.swapOutAmount, tokenAMint: poolState.tokenAMint,
      tokenBMint: poolState.tokenBMint, tokenAVault: poolState.tokenAVault, tokenBVault: poolState.tokenBVault,
      tokenAProgram: TOKEN, tokenBProgram: TOKEN, referralTokenAccount: null, poolState,
    }))
    return [quote.swapOutAmount, swap]
  },

  async raydium_cpmm(pool, { mintIn, amountIn }) {
    const { poolInfo, poolKeys, rpcData } = await raydium.cpmm.getPoolInfoFromRpc(pool.toBase58())
    const baseIn = poolInfo.mintA.address === mintIn
    const { baseReserve, quoteReserve, configInfo, feeOn, enableCreatorFee } = rpcData
    const reserves = baseIn ? [baseReserve, quoteReserve] : [quoteReserve, baseReserve]
    const creatorFeeRate = enableCreatorFee ? configInfo.creatorFeeRate : new BN(0)  // the SDK leaves this to its caller
    const swapResult = CurveCalculator.swapBaseInput(
      amountIn, ...reserves, configInfo.tradeFeeRate, creatorFeeRate, configInfo.protocolFeeRate,
      configInfo.fundFeeRate, feeOn === 0 || feeOn === (baseIn ? 1 : 2),
    )
    const swap = async () => executed(await raydium.cpmm.swap({
      poolInfo, poolKeys, inputAmount: amountIn, swapResult, slippage: 0, baseIn, txVersion: TxVersion.V0,
    }))
    return [swapResult.outputAmount, swap]
  },

  async raydium_clmm(pool, { mintIn, mintOut, amountIn }) {
    const id = pool.toBase58()
    const { poolInfo, poolKeys, computePoolInfo, tickData } = await raydium.clmm.getPoolInfoFromRpc(id)
    const { amountOut, remainingAccounts } = await PoolUtils.computeAmountOutFormat({
      poolInfo: computePoolInfo, tickArrayCache: tickData[id], amountIn, slippage: 0,
      tickarrayBitmapExtension: computePoolInfo.exBitmapInfo ?? EMPTY,
      blockTimestamp: await connection.getBlockTime(await connection.getSlot()),
      tokenOut: [poolInfo.mintA, poolInfo.mintB].find((mint) => mint.address === mintOut),
      epochInfo: await connection.getEpochInfo(),
    })
    const quoted = amountOut.amount.raw
    const swap = async () => executed(await raydium.clmm.swap({
      poolInfo, poolKeys, inputMint: mintIn, amountIn, amountOutMin: quoted, observationId: computePoolInfo.observationId,
      ownerInfo: { useSOLBalance: true }, remainingAccounts, txVersion: TxVersion.V0,
    }))
    return [quoted, swap]
  },

  async raydium_amm_v4(pool, { mintIn, mintOut, amountIn }) {
    const { poolInfo, poolKeys, poolRpcData } = await raydium.liquidity.getPoolInfoFromRpc({ poolId: pool.toBase58() })
    const { baseReserve, quoteReserve, status } = poolRpcData
    const { amountOut } = raydium.liquidity.computeAmountOut({
      poolInfo: { ...poolInfo, baseReserve, quoteReserve, status: status.toNumber(), version: 4 },
      amountIn, mintIn, mintOut, slippage: 0,
    })
    const swap = async () => executed(await raydium.liquidity.swap({
      poolInfo, poolKeys, amountIn, amountOut, fixedSide: "in", inputMint: mintIn, txVersion: TxVersion.V0,
    }))
    return [amountOut, swap]
  },
}

async function send(transaction) {
  const units = ComputeBudgetProgram.setComputeUnitLimit({ units: 400_000 })
  const others = transaction.instructions.filter(({ programId }) => !programId.equals(ComputeBudgetProgram.programId))
  transaction.instructions = [units, ...others]
  return sendAndConfirmTransaction(connection, transaction, [owner], { commitment: "confirmed" })
}

async function executed({ execute }) {
  const { txId } = await execute({ sendAndConfirm: true })
  return txId
}

async function received(signature, mint) {
  const { meta } = await connection.getTransaction(signature, { commitment: "confirmed", maxSupportedTransactionVersion: 0 })
  if (mint === SOL) return new BN(meta.postBalances[0]).sub(new BN(meta.preBalances[0])).addn(meta.fee)
  const of = (balances) => balances.find((each) => each.mint === mint && each.owner === owner.publicKey.toBase58())
  return new BN(of(meta.postTokenBalances).uiTokenAmount.amount).sub(
    new BN(of(meta.preTokenBalances)?.uiTokenAmount.amount ?? 0),
  )
}

const raydium = await Raydium.load({
  connection, owner, disableLoadToken: true, disableFeatureCheck: true, blockhashCommitment: "confirmed",
})
for (const each of JSON.parse(requests)) {
  const result = { kind: each.kind, pool: each.pool, mintIn: each.mintIn }
  try {
    const [quoted, swap] = await venues[each.kind](new PublicKey(each.pool), { ...each, amountIn: new BN(each.amountIn) })
    result.quoted = quoted.toString()
    result.signature = await swap()
    result.received = (await received(result.signature, each.mintOut)).toString()
    if (raydium.account) await raydium.account.fetchWalletTokenAccounts({ forceUpdate: true })
  } catch (error) {
    result.error = String(error.stack ?? error).slice(0, 1_500)
  }
  print(result)
}
process.exit(0)
